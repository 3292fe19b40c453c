// SPDX-License-Identifier: Apache-2.0

#include "train/loop/evaluator.h"

#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/trainer.h"

namespace continuo {
namespace {

using testing::ReadJsonLines;
using testing::RunTraining;
using testing::ScratchDir;
using testing::SmallRun;

EvalOptions SmallEval(const ScratchDir& dir) {
  EvalOptions options;
  options.run_dir = dir.Path("run");
  options.sequence_example_file = dir.Path("data");
  options.once = true;
  return options;
}

absl::Status RunEval(const EvalOptions& options) {
  ThreadPool pool(2);
  const StopFlag never{false};
  return FollowCheckpoints(options, Stream{.device = {}, .pool = &pool}, never);
}

std::vector<nlohmann::json> EvalLines(const EvalOptions& options) {
  return ReadJsonLines(JoinPath(EvalDir(options.run_dir), "log.jsonl"));
}

TEST(EvaluatorTest, BatchSizeDoesNotMatter) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 3)).ok());
  // 11 examples: also fewer than a batch, and a smaller last batch.
  for (const char* hparams :
       {"batch_size=1", "batch_size=4", "batch_size=11", "batch_size=100"}) {
    EvalOptions options = SmallEval(dir);
    options.model.hparams = hparams;
    const absl::Status status = RunEval(options);
    ASSERT_TRUE(status.ok()) << status;
  }
  const auto lines = EvalLines(SmallEval(dir));
  ASSERT_EQ(lines.size(), 4);
  for (const auto& line : lines) {
    EXPECT_EQ(line["step"], 3);
    EXPECT_EQ(line["examples"], 11);
    EXPECT_NEAR(line["loss"].get<double>(), lines[0]["loss"].get<double>(),
                1e-9);
    EXPECT_EQ(line["accuracy"], lines[0]["accuracy"]);
  }
}

TEST(EvaluatorTest, NumEvalExamplesTakesTheFirst) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 1)).ok());
  EvalOptions options = SmallEval(dir);
  options.num_eval_examples = 5;
  ASSERT_TRUE(RunEval(options).ok());
  options.num_eval_examples = 500;
  ASSERT_TRUE(RunEval(options).ok());
  const auto lines = EvalLines(options);
  EXPECT_EQ(lines[0]["examples"], 5);
  // Examples of the data file have 3 + 7 i mod 18 steps.
  EXPECT_EQ(lines[0]["events"], 3 + 10 + 17 + 6 + 13);
  EXPECT_EQ(lines[1]["examples"], 11);
}

TEST(EvaluatorTest, DropoutIsOffUnlessAskedFor) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 20)).ok());
  EvalOptions options = SmallEval(dir);
  ASSERT_TRUE(RunEval(options).ok());
  options.dropout = true;
  ASSERT_TRUE(RunEval(options).ok());
  const auto lines = EvalLines(options);
  EXPECT_NE(lines[0]["loss"], lines[1]["loss"]);
}

TEST(EvaluatorTest, WithoutACheckpointOnceIsAnErrorAndWaitingTimesOut) {
  const ScratchDir dir;
  testing::WriteBasicRnnData(dir.Path("data"), 3);
  EvalOptions options = SmallEval(dir);
  const absl::Status status = RunEval(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(status.message(), TrainDir(options.run_dir)))
      << status;
  EXPECT_FALSE(FileExists(EvalDir(options.run_dir)));
  options.once = false;
  options.poll = absl::Milliseconds(5);
  options.timeout = absl::Milliseconds(30);
  EXPECT_EQ(RunEval(options).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(FileExists(options.run_dir));
}

TEST(EvaluatorTest, AWaitSaysForWhatAtOnceAndAgain) {
  const ScratchDir dir;
  testing::WriteBasicRnnData(dir.Path("data"), 3);
  EvalOptions options = SmallEval(dir);
  options.once = false;
  options.poll = absl::Seconds(1);
  options.timeout = absl::Seconds(100);
  absl::Duration now;  // moves at each look; nobody really sleeps
  options.clock.monotonic = [&] { return now += absl::Seconds(1); };
  ::testing::internal::CaptureStderr();
  const absl::Status status = RunEval(options);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(absl::StrContains(status.message(), "`run_dir`")) << status;
  const std::string line = absl::StrCat(
      "INFO: waiting for the first checkpoint in ", dir.Path("run/train"), " (",
      dir.Path("run"), " does not exist)");
  int lines = 0;
  for (size_t at = log.find(line); at != std::string::npos;
       at = log.find(line, at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 4) << log;  // at 0, 30, 60 and 90 seconds
  EXPECT_FALSE(FileExists(dir.Path("run")));
}

TEST(EvaluatorTest, TheFolderOfTheCheckpointsItselfIsRecognised) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 1)).ok());
  EvalOptions options = SmallEval(dir);
  options.once = false;
  options.run_dir = dir.Path("run/train");
  options.timeout = absl::ZeroDuration();
  const absl::Status status = RunEval(options);
  EXPECT_TRUE(absl::StrContains(status.message(), "the folder above it"))
      << status;
}

TEST(EvaluatorTest, DataThatAreNotThereAreReportedBeforeTheWait) {
  const ScratchDir dir;
  EvalOptions options = SmallEval(dir);
  options.once = false;
  options.timeout = absl::InfiniteDuration();
  const absl::Status status = RunEval(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(status.message(), dir.Path("data"))) << status;
}

TEST(EvaluatorTest, AStopEndsAnEvaluationBetweenTwoBatches) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 1)).ok());
  EvalOptions options = SmallEval(dir);
  StopFlag stop{false};
  // Set when the evaluation of a checkpoint begins.
  int looks = 0;
  options.clock.monotonic = [&] {
    if (++looks == 2) stop = true;
    return absl::Seconds(looks);
  };
  ThreadPool pool(2);
  EXPECT_TRUE(
      FollowCheckpoints(options, Stream{.device = {}, .pool = &pool}, stop)
          .ok());
  EXPECT_EQ(looks, 2);
  EXPECT_TRUE(EvalLines(options).empty());
}

TEST(EvaluatorTest, FollowsATrainingAndEvaluatesNoCheckpointTwice) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 1)).ok());
  EvalOptions options = SmallEval(dir);
  options.once = false;
  options.poll = absl::Milliseconds(5);
  options.interval = absl::ZeroDuration();
  options.timeout = absl::Milliseconds(400);
  std::thread training([&] {
    absl::SleepFor(absl::Milliseconds(100));
    EXPECT_TRUE(RunTraining(SmallRun(dir, 2)).ok());
  });
  const absl::Status status = RunEval(options);
  training.join();
  ASSERT_TRUE(status.ok()) << status;
  const auto lines = EvalLines(options);
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0]["step"], 1);
  EXPECT_EQ(lines[1]["step"], 2);
}

TEST(EvaluatorTest, ARunOfMagentaNeedsItsConfiguration) {
  const ScratchDir dir;
  ASSERT_TRUE(RunTraining(SmallRun(dir, 1)).ok());
  ASSERT_EQ(
      std::remove(JoinPath(TrainDir(dir.Path("run")), kRunConfigFile).c_str()),
      0);
  EvalOptions options = SmallEval(dir);
  EXPECT_TRUE(absl::StrContains(RunEval(options).message(), "`config`"));
  options.model.config = "basic_rnn";
  const absl::Status shapes = RunEval(options);
  EXPECT_TRUE(absl::StrContains(shapes.message(), "[46, 32]")) << shapes;
  EXPECT_TRUE(absl::StrContains(shapes.message(), "`hparams`")) << shapes;
  options.model.hparams = "rnn_layer_sizes=[8,6]";
  EXPECT_TRUE(RunEval(options).ok());
}

}  // namespace
}  // namespace continuo
