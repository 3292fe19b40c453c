// SPDX-License-Identifier: Apache-2.0

// A command as one of several processes, in the environment of a launcher.

#ifndef CONTINUO_TESTS_TESTING_PROCESSES_H_
#define CONTINUO_TESTS_TESTING_PROCESSES_H_

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/base/work_share.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo::testing {

// What a launcher sets: another one for each number of processes.
inline std::string LaunchEnvironment(const WorkShare& share) {
  if (share.size == 1) return "env -u RANK -u WORLD_SIZE -u LOCAL_RANK";
  if (share.size == 2) {
    return absl::StrCat("env RANK=", share.rank, " WORLD_SIZE=", share.size,
                        " LOCAL_RANK=", share.rank);
  }
  return absl::StrCat(
      "env -u RANK -u WORLD_SIZE -u LOCAL_RANK SLURM_PROCID=", share.rank,
      " SLURM_STEP_NUM_TASKS=", share.size, " SLURM_LOCALID=", share.rank);
}

struct ProcessOutcome {
  int code = -1;
  std::string err;
};

inline ProcessOutcome RunProcess(const ScratchDir& dir, const WorkShare& share,
                                 const std::string& command,
                                 const std::string& flags) {
  const std::string line =
      absl::StrCat(LaunchEnvironment(share), " ", ShellCommand(command), " ",
                   flags, " >/dev/null 2>", ShellQuote(dir.Path("stderr")));
  const int status = std::system(line.c_str());
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .err = MustRead(dir.Path("stderr"))};
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_PROCESSES_H_
