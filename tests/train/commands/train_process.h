// SPDX-License-Identifier: Apache-2.0

// melody_rnn_train as a process.

#ifndef CONTINUO_TESTS_TRAIN_COMMANDS_TRAIN_PROCESS_H_
#define CONTINUO_TESTS_TRAIN_COMMANDS_TRAIN_PROCESS_H_

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "models/checkpoint/checkpoint.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"

namespace continuo::testing {

// A started melody_rnn_train, whose output goes to `output`.
struct Process {
  pid_t pid = -1;
  std::string output;

  // Exit status, or 128 + signal.
  int Wait() const {
    int status = 0;
    CONTINUO_CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

// Starts words[0], found nowhere but there, with the others as arguments.
// `max_file_bytes` > 0 makes writes beyond it fail, as on a full disk.
inline Process StartProcess(const ScratchDir& dir,
                            const std::vector<std::string>& words,
                            int64_t max_file_bytes = 0) {
  Process process;
  process.output = dir.Path("output");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  // Here, so that it is there when this returns.
  const int fd = open(process.output.c_str(),
                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  CONTINUO_CHECK(fd >= 0);
  process.pid = fork();
  CONTINUO_CHECK(process.pid >= 0);
  if (process.pid == 0) {
    const int none = open("/dev/null", O_RDONLY);
    dup2(none, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    // What this test itself was started by is nothing to the process.
    for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK"}) {
      unsetenv(name);
    }
    if (max_file_bytes > 0) {
      signal(SIGXFSZ, SIG_IGN);  // stays ignored after exec
      const rlimit limit = {static_cast<rlim_t>(max_file_bytes),
                            static_cast<rlim_t>(max_file_bytes)};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    execv(argv[0], const_cast<char**>(argv.data()));
    _exit(99);
  }
  close(fd);
  return process;
}

inline Process Start(const ScratchDir& dir,
                     const std::vector<std::string>& flags,
                     int64_t max_file_bytes = 0) {
  std::vector<std::string> words = {CONTINUO_BIN_DIR "/melody_rnn_train"};
  words.insert(words.end(), flags.begin(), flags.end());
  return StartProcess(dir, words, max_file_bytes);
}

struct Result {
  int code = 0;
  std::string output;
};

inline Result RunToEnd(const ScratchDir& dir,
                       const std::vector<std::string>& flags,
                       int64_t max_file_bytes = 0) {
  const Process process = Start(dir, flags, max_file_bytes);
  const int code = process.Wait();
  return {code, MustRead(process.output)};
}

// Flags of a small run in `dir`/run; the data is written if absent.
inline std::vector<std::string> RunFlags(
    const ScratchDir& dir, const std::vector<std::string>& more = {}) {
  if (!FileExists(dir.Path("data"))) {
    WriteBasicRnnData(dir.Path("data"), 11);
  }
  std::vector<std::string> flags = {
      "--config=basic_rnn",
      "--seed=5",
      "--threads=2",
      "--hparams=batch_size=4,rnn_layer_sizes=[8]",
      absl::StrCat("--run_dir=", dir.Path("run")),
      absl::StrCat("--sequence_example_file=", dir.Path("data"))};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

// Waits until the run has a checkpoint of at least `step`; false after 30 s.
inline bool WaitForStep(const ScratchDir& dir, int64_t step) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (absl::Now() < deadline) {
    const auto tensors = ReadCheckpoint(dir.Path("run/train"));
    if (tensors.ok() && tensors->at("global_step").ints[0] >= step) return true;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return false;
}

inline TensorMap MustReadRun(const ScratchDir& dir) {
  auto tensors = ReadCheckpoint(dir.Path("run/train"));
  CONTINUO_CHECK(tensors.ok());
  return *std::move(tensors);
}

// What an undisturbed run has after `steps`.
inline TensorMap Undisturbed(int64_t steps) {
  const ScratchDir dir;
  const Result result = RunToEnd(
      dir, RunFlags(dir, {absl::StrCat("--num_training_steps=", steps)}));
  CONTINUO_CHECK(result.code == 0);
  return MustReadRun(dir);
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TRAIN_COMMANDS_TRAIN_PROCESS_H_
