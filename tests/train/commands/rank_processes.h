// SPDX-License-Identifier: Apache-2.0

// Training commands started by mpirun.

#ifndef CONTINUO_TESTS_TRAIN_COMMANDS_RANK_PROCESSES_H_
#define CONTINUO_TESTS_TRAIN_COMMANDS_RANK_PROCESSES_H_

#include <sys/types.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/train/commands/train_process.h"

namespace continuo::testing {

// A started mpirun, whose output and that of all ranks goes to a file.
inline Process StartRanks(const ScratchDir& dir, int ranks,
                          const std::string& command,
                          const std::vector<std::string>& flags) {
  std::vector<std::string> words = {
      CONTINUO_MPIRUN,
      "--allow-run-as-root",
      "--oversubscribe",
      "--bind-to",
      "none",
      "-n",
      absl::StrCat(ranks),
      absl::StrCat(CONTINUO_BIN_DIR "/", command)};
  words.insert(words.end(), flags.begin(), flags.end());
  return StartProcess(dir, words);
}

inline Result RunRanks(const ScratchDir& dir, int ranks,
                       const std::string& command,
                       const std::vector<std::string>& flags) {
  const Process process = StartRanks(dir, ranks, command, flags);
  const int code = process.Wait();
  return {code, MustRead(process.output)};
}

// The processes of the job in the order of their ranks. (mpirun starts them
// one after another.)
inline std::vector<pid_t> RankPids(const Process& mpirun) {
  std::vector<pid_t> pids;
  std::error_code error;
  const std::string tasks = absl::StrCat("/proc/", mpirun.pid, "/task");
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream children(task.path() / "children");
    for (pid_t pid = 0; children >> pid;) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TRAIN_COMMANDS_RANK_PROCESSES_H_
