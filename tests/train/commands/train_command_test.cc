// SPDX-License-Identifier: Apache-2.0

// melody_rnn_train as a process: flags, exit codes, signals, kills, full disks.

#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/examples.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/commands/train_process.h"
#include "tests/train/loop/small_run.h"

namespace continuo {
namespace {

using testing::MustReadRun;
using testing::Process;
using testing::Result;
using testing::RunFlags;
using testing::RunToEnd;
using testing::SameTensors;
using testing::ScratchDir;
using testing::Start;
using testing::Undisturbed;
using testing::WaitForStep;

TEST(TrainCommandTest, HelpTellsFlagsDefaultsAndExitCodes) {
  const ScratchDir dir;
  const Result result = RunToEnd(dir, {"--help=all"});
  for (const char* text : {"--run_dir",
                           "/tmp/melody_rnn/logdir/run1",
                           "--sequence_example_file",
                           "--config",
                           "--melody_encoder_decoder",
                           "--hparams",
                           "--num_training_steps",
                           "--summary_frequency",
                           "--num_checkpoints",
                           "--save_checkpoint_steps",
                           "--max_training_seconds",
                           "--seed",
                           "--eval",
                           "--eval_once",
                           "--eval_dropout",
                           "--num_eval_examples",
                           "--eval_every_steps",
                           "--eval_sequence_example_file",
                           "--keep_best",
                           "--early_stopping_evals",
                           "--device",
                           "--threads",
                           "--log",
                           "Default: 10",
                           "Exit status"}) {
    EXPECT_TRUE(absl::StrContains(result.output, text)) << text;
  }
}

TEST(TrainCommandTest, WrongFlagsAreNamedAndNothingIsWritten) {
  const ScratchDir dir;
  struct Case {
    std::vector<std::string> flags;
    std::string named;
  };
  const std::string data =
      absl::StrCat("--sequence_example_file=", dir.Path("data"));
  testing::WriteBasicRnnData(dir.Path("data"), 3);
  for (const Case& c : std::vector<Case>{
           {{"--config=basic_rnn"}, "--sequence_example_file"},
           {{data}, "--config"},
           {{data, "--config=nope"}, "basic_rnn"},
           {{data, "--config=basic_rnn", "--melody_encoder_decoder=key"},
            "--melody_encoder_decoder"},
           {{data, "--config=basic_rnn", "--hparams=batchsize=2"},
            "did you mean batch_size"},
           {{data, "--config=basic_rnn", "--summary_frequency=0"},
            "--summary_frequency=0"},
           {{data, "--config=basic_rnn", "--num_training_steps=-1"},
            "--num_training_steps=-1"},
           {{data, "--config=basic_rnn", "--eval_once"}, "--eval"},
           {{data, "--config=basic_rnn", "--eval_every_steps=5"},
            "--eval_sequence_example_file"},
           {{data, "--config=basic_rnn", "--keep_best"},
            "add --eval_every_steps"},
           {{data, "--config=basic_rnn", "--early_stopping_evals=2"},
            "add --eval_every_steps"},
           {{data, "--config=basic_rnn", "--eval", "--eval_every_steps=5"},
            "leave out --eval"},
           {{data, "--config=basic_rnn", "--eval_every_steps=-5"},
            "--eval_every_steps=-5"},
           {{data, "--config=basic_rnn", "--threads=-2"}, "--threads=-2"},
           {{data, "--config=basic_rnn", "--device=abacus"}, "abacus"},
           {{data, "--config=basic_rnn", "--log=LOUD"}, "LOUD"},
           {{data, "--config=basic_rnn", "--num_training_stepz=3"},
            "num_training_stepz"},
           {{data, "--config=basic_rnn", "extra"}, "extra"},
           {{data, "--config=mono_rnn"}, "38 values"},
           {{"--config=basic_rnn",
             absl::StrCat("--sequence_example_file=", dir.Path("none*"))},
            "none*"}}) {
    std::vector<std::string> flags = c.flags;
    flags.push_back(absl::StrCat("--run_dir=", dir.Path("run")));
    const Result result = RunToEnd(dir, flags);
    EXPECT_EQ(result.code, 1) << result.output;
    EXPECT_TRUE(absl::StrContains(result.output, c.named)) << result.output;
    EXPECT_FALSE(FileExists(dir.Path("run"))) << c.named;
  }
}

TEST(TrainCommandTest, SignalsSaveAndExitCleanly) {
  for (int signal_number : {SIGINT, SIGTERM}) {
    const ScratchDir dir;
    const Process process = Start(dir, RunFlags(dir));  // for ever
    ASSERT_TRUE(WaitForStep(dir, 0));
    absl::SleepFor(absl::Milliseconds(50));
    ASSERT_EQ(kill(process.pid, signal_number), 0);
    EXPECT_EQ(process.Wait(), 0) << testing::MustRead(process.output);
    EXPECT_TRUE(absl::StrContains(
        testing::MustRead(process.output),
        "INFO: stopping after this step (Ctrl-C again: at once; nothing since "
        "step 0 is saved then)\n"))
        << testing::MustRead(process.output);
    const TensorMap stopped = MustReadRun(dir);
    const int64_t steps = stopped.at("global_step").ints[0];
    EXPECT_TRUE(SameTensors(stopped, Undisturbed(steps))) << steps;
  }
}

TEST(TrainCommandTest, ASecondSignalEndsAtOnce) {
  const ScratchDir dir;
  // A step of minutes, were it not for the second signal.
  testing::MustWriteRecords(dir.Path("data"),
                            {testing::PatternExample(1, 20000, 38)});
  const Process process =
      Start(dir, {"--config=basic_rnn", "--threads=1",
                  "--hparams=batch_size=1,rnn_layer_sizes=[1024,1024]",
                  absl::StrCat("--run_dir=", dir.Path("run")),
                  absl::StrCat("--sequence_example_file=", dir.Path("data"))});
  ASSERT_TRUE(WaitForStep(dir, 0));
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  ASSERT_EQ(kill(process.pid, SIGINT), 0);
  while (!absl::StrContains(testing::MustRead(process.output),
                            "stopping after this step")) {
    ASSERT_LT(absl::Now(), deadline);
    absl::SleepFor(absl::Milliseconds(2));
  }
  ASSERT_EQ(kill(process.pid, SIGINT), 0);
  EXPECT_EQ(process.Wait(), 128 + SIGINT);
  EXPECT_LT(absl::Now(), deadline);
}

TEST(TrainCommandTest, ALogThatNobodyReadsAnyMoreDoesNotCostTheWork) {
  const ScratchDir dir;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::vector<std::string> flags =
      RunFlags(dir, {"--summary_frequency=1"});
  std::vector<const char*> argv = {CONTINUO_BIN_DIR "/melody_rnn_train"};
  for (const std::string& flag : flags) argv.push_back(flag.c_str());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv(argv[0], const_cast<char**>(argv.data()));
    _exit(99);
  }
  close(ends[1]);
  std::string log;
  char buffer[4096];
  while (!absl::StrContains(log, "step 3:")) {
    const ssize_t size = read(ends[0], buffer, sizeof(buffer));
    ASSERT_GT(size, 0) << log;
    log.append(buffer, static_cast<size_t>(size));
  }
  close(ends[0]);  // tee dies first
  absl::SleepFor(absl::Milliseconds(50));
  ASSERT_EQ(kill(pid, SIGINT), 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status)) << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const TensorMap stopped = MustReadRun(dir);
  const int64_t steps = stopped.at("global_step").ints[0];
  EXPECT_GE(steps, 3);
  EXPECT_TRUE(SameTensors(stopped, Undisturbed(steps)));
}

TEST(TrainCommandTest, DataThatChangeWhileTrainingCostNoWork) {
  const ScratchDir dir;
  // Flags write the data of a set that is absent.
  const std::vector<std::string> flags = RunFlags(
      dir, {"--save_checkpoint_steps=1000000", "--save_checkpoint_secs=1000000",
            "--summary_frequency=1"});
  const std::string data = dir.Path("data");
  const std::string bytes = testing::MustRead(data);
  const Process process = Start(dir, flags);
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!absl::StrContains(testing::MustRead(process.output), "step 5:")) {
    ASSERT_LT(absl::Now(), deadline);
    absl::SleepFor(absl::Milliseconds(2));
  }
  ASSERT_EQ(truncate(data.c_str(), 0), 0);
  EXPECT_EQ(process.Wait(), 1);
  const std::string log = testing::MustRead(process.output);
  EXPECT_TRUE(absl::StrContains(
      log, absl::StrCat(data, ": has changed while it was being read")))
      << log;
  EXPECT_TRUE(absl::StrContains(log, "is saved in")) << log;
  const TensorMap stopped = MustReadRun(dir);
  const int64_t steps = stopped.at("global_step").ints[0];
  EXPECT_GE(steps, 5);
  EXPECT_TRUE(SameTensors(stopped, Undisturbed(steps)));
  // With the data as they were, the run goes on.
  ASSERT_TRUE(WriteFileAtomically(data, bytes).ok());
  const Result again = RunToEnd(
      dir, RunFlags(dir, {absl::StrCat("--num_training_steps=", steps + 2)}));
  ASSERT_EQ(again.code, 0) << again.output;
  EXPECT_TRUE(SameTensors(MustReadRun(dir), Undisturbed(steps + 2)));
}

TEST(TrainCommandTest, ADivergedTrainingEndsWithAdvice) {
  const ScratchDir dir;
  const Result result =
      RunToEnd(dir, RunFlags(dir, {"--hparams=batch_size=4,rnn_layer_sizes=[8],"
                                   "learning_rate=1e20",
                                   "--num_training_steps=500"}));
  EXPECT_EQ(result.code, 1) << result.output;
  EXPECT_TRUE(absl::StrContains(result.output, "smaller learning_rate"))
      << result.output;
  EXPECT_EQ(MustReadRun(dir).at("global_step").ints[0], 0);
}

TEST(TrainCommandTest, AnEvaluationOfAFolderThatNeverComesIsAnError) {
  const ScratchDir dir;
  std::vector<std::string> flags =
      RunFlags(dir, {"--eval", "--eval_timeout_secs=0.2"});
  const Result result = RunToEnd(dir, flags);
  EXPECT_EQ(result.code, 1) << result.output;
  EXPECT_TRUE(
      absl::StrContains(result.output, "waiting for the first checkpoint in"))
      << result.output;
  EXPECT_FALSE(FileExists(dir.Path("run")));
}

TEST(TrainCommandTest, AKilledRunGoesOnAsIfNothingHadHappened) {
  const ScratchDir dir;
  for (int64_t step : {5, 12}) {
    const Process process =
        Start(dir, RunFlags(dir, {"--save_checkpoint_steps=1"}));
    ASSERT_TRUE(WaitForStep(dir, step));
    ASSERT_EQ(kill(process.pid, SIGKILL), 0);
    EXPECT_EQ(process.Wait(), 128 + SIGKILL);
  }
  const int64_t steps = MustReadRun(dir).at("global_step").ints[0] + 7;
  const Result result = RunToEnd(
      dir, RunFlags(dir, {absl::StrCat("--num_training_steps=", steps)}));
  ASSERT_EQ(result.code, 0) << result.output;
  EXPECT_TRUE(SameTensors(MustReadRun(dir), Undisturbed(steps)));
  // Each step is logged once, in order.
  int64_t last = 0;
  for (const auto& line :
       testing::ReadJsonLines(dir.Path("run/train/log.jsonl"))) {
    EXPECT_GT(line["step"].get<int64_t>(), last);
    last = line["step"].get<int64_t>();
  }
}

TEST(TrainCommandTest, AFullDiskStopsWithTheFilesNameAndKeepsTheRun) {
  const ScratchDir dir;
  ASSERT_EQ(RunToEnd(dir, RunFlags(dir, {"--num_training_steps=3"})).code, 0);
  const TensorMap before = MustReadRun(dir);
  const Result full = RunToEnd(dir, RunFlags(dir, {"--num_training_steps=5"}),
                               /*max_file_bytes=*/8000);
  EXPECT_EQ(full.code, 1) << full.output;
  EXPECT_TRUE(absl::StrContains(full.output, "model.ckpt-5")) << full.output;
  EXPECT_TRUE(absl::StrContains(full.output, "File too large")) << full.output;
  EXPECT_TRUE(SameTensors(MustReadRun(dir), before));
  for (const std::string& name :
       testing::ListFiles(dir.Path("run/train"), "")) {
    EXPECT_FALSE(absl::StrContains(name, ".tmp")) << name;
  }
  ASSERT_EQ(RunToEnd(dir, RunFlags(dir, {"--num_training_steps=5"})).code, 0);
  EXPECT_TRUE(SameTensors(MustReadRun(dir), Undisturbed(5)));
}

TEST(TrainCommandTest, AnUnwritableRunDirIsAnError) {
  const ScratchDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("run"), "a file").ok());
  const Result result =
      RunToEnd(dir, RunFlags(dir, {"--num_training_steps=1"}));
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(absl::StrContains(result.output, dir.Path("run")))
      << result.output;
}

TEST(TrainCommandTest, TwoTrainingsOfOneRunExcludeEachOther) {
  const ScratchDir dir;
  const Process first = Start(dir, RunFlags(dir));
  ASSERT_TRUE(WaitForStep(dir, 0));
  const ScratchDir other;
  const Result second = RunToEnd(
      other, {absl::StrCat("--run_dir=", dir.Path("run")),
              absl::StrCat("--sequence_example_file=", dir.Path("data"))});
  EXPECT_EQ(second.code, 1);
  EXPECT_TRUE(absl::StrContains(second.output, "another process"))
      << second.output;
  ASSERT_EQ(kill(first.pid, SIGTERM), 0);
  EXPECT_EQ(first.Wait(), 0);
}

TEST(TrainCommandTest, EvaluationRunsBesideTheTraining) {
  const ScratchDir dir;
  const Process training =
      Start(dir, RunFlags(dir, {"--save_checkpoint_steps=20",
                                "--num_checkpoints=1", "--log=WARN"}));
  ASSERT_TRUE(WaitForStep(dir, 20));
  const ScratchDir eval_dir;
  const Process eval = Start(
      eval_dir, {"--eval", "--eval_interval_secs=0",
                 absl::StrCat("--run_dir=", dir.Path("run")),
                 absl::StrCat("--sequence_example_file=", dir.Path("data"))});
  const std::string log = dir.Path("run/eval/log.jsonl");
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (absl::Now() < deadline) {
    if (FileExists(log) && absl::StrContains(testing::MustRead(log), "}\n{")) {
      break;
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  ASSERT_EQ(kill(eval.pid, SIGTERM), 0);
  EXPECT_EQ(eval.Wait(), 0) << testing::MustRead(eval.output);
  ASSERT_EQ(kill(training.pid, SIGTERM), 0);
  EXPECT_EQ(training.Wait(), 0) << testing::MustRead(training.output);
  int64_t last = -1;
  int count = 0;
  for (const auto& line : testing::ReadJsonLines(log)) {
    EXPECT_GT(line["step"].get<int64_t>(), last);
    last = line["step"].get<int64_t>();
    ++count;
  }
  EXPECT_GE(count, 2);
}

}  // namespace
}  // namespace continuo
