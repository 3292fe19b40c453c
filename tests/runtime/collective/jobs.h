// SPDX-License-Identifier: Apache-2.0

// Jobs of several processes, run by a shell.

#ifndef CONTINUO_TESTS_RUNTIME_COLLECTIVE_JOBS_H_
#define CONTINUO_TESTS_RUNTIME_COLLECTIVE_JOBS_H_

#include <stdio.h>
#include <sys/wait.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "tests/testing/shell.h"

namespace continuo::testing {

struct JobResult {
  int code = 0;
  std::string text;  // standard output and error
  double seconds = 0;
};

inline JobResult RunJob(const std::string& command) {
  JobResult result;
  const absl::Time begin = absl::Now();
  // What this test itself was started by is nothing to the job, and what MPI
  // does not free, and its order of locks, are nothing to sanitizers.
  FILE* pipe = popen(
      absl::StrCat("exec 2>&1 </dev/null; unset RANK WORLD_SIZE LOCAL_RANK; "
                   "export ASAN_OPTIONS=\"$ASAN_OPTIONS:detect_leaks=0\" "
                   "TSAN_OPTIONS=\"$TSAN_OPTIONS:detect_deadlocks=0\"; ",
                   command)
          .c_str(),
      "r");
  CONTINUO_CHECK(pipe != nullptr);
  char part[4096];
  for (size_t got; (got = fread(part, 1, sizeof(part), pipe)) > 0;) {
    result.text.append(part, got);
  }
  const int status = pclose(pipe);
  result.code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  return result;
}

// The words for rank_program.cc.
inline std::string RankProgram(const std::string& what, double timeout,
                               const std::string& device,
                               const std::string& folder) {
  return absl::StrCat(ShellQuote(CONTINUO_RANK_PROGRAM), " ", what, " ",
                      timeout, " ", device, " ", ShellQuote(folder));
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_RUNTIME_COLLECTIVE_JOBS_H_
