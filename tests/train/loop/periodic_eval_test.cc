// SPDX-License-Identifier: Apache-2.0

#include "train/loop/periodic_eval.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/trainer.h"

namespace continuo {
namespace {

using testing::ReadJsonLines;
using testing::RunTraining;
using testing::SameTensors;
using testing::ScratchDir;
using testing::SmallRun;

// A small run that evaluates every third step on examples it is not trained on.
TrainOptions EvaluatedRun(const ScratchDir& dir, int64_t steps) {
  TrainOptions options = SmallRun(dir, steps);
  const std::string data = dir.Path("eval_data");
  if (!FileExists(data)) {
    std::vector<std::string> records;
    for (int i = 0; i < 6; ++i) {
      records.push_back(
          testing::PatternExample(40 + i, 9 + 4 * i, testing::kBasicRnnWidth));
    }
    testing::MustWriteRecords(data, records);
  }
  options.eval.every_steps = 3;
  options.eval.sequence_example_file = data;
  options.eval.keep_best = true;
  return options;
}

// A run that learns its few examples by heart, so that the loss on others
// soon rises.
TrainOptions OverfittingRun(const ScratchDir& dir) {
  TrainOptions options = EvaluatedRun(dir, 1000);
  options.model.hparams =
      "batch_size=4,rnn_layer_sizes=[24],dropout_keep_prob=1,"
      "learning_rate=0.05";
  options.eval.early_stopping_evals = 3;
  return options;
}

TensorMap MustReadTensors(const std::string& path) {
  auto tensors = ReadCheckpoint(path);
  CONTINUO_CHECK(tensors.ok());
  return *std::move(tensors);
}

std::vector<nlohmann::json> EvalLines(const TrainOptions& options) {
  return ReadJsonLines(JoinPath(EvalDir(options.run_dir), "log.jsonl"));
}

TEST(PeriodicEvalTest, TheTrainingIsTheSameWithAndWithoutIt) {
  const ScratchDir with;
  const ScratchDir without;
  ASSERT_TRUE(RunTraining(EvaluatedRun(with, 8)).ok());
  ASSERT_TRUE(RunTraining(SmallRun(without, 8)).ok());
  TensorMap tensors = MustReadTensors(with.Path("run/train"));
  for (const char* name : {"continuo/eval_best_step", "continuo/eval_best_loss",
                           "continuo/eval_count_since_best"}) {
    EXPECT_EQ(tensors.erase(name), 1) << name;
  }
  EXPECT_TRUE(SameTensors(tensors, MustReadTensors(without.Path("run/train"))));
}

TEST(PeriodicEvalTest, FindsWhatAnEvaluationOfTheCheckpointFinds) {
  const ScratchDir dir;
  const TrainOptions options = EvaluatedRun(dir, 6);
  ASSERT_TRUE(RunTraining(options).ok());
  EvalOptions eval;
  eval.run_dir = options.run_dir;
  eval.sequence_example_file = options.eval.sequence_example_file;
  eval.once = true;
  ThreadPool pool(2);
  ASSERT_TRUE(
      FollowCheckpoints(eval, Stream{.device = {}, .pool = &pool}, {false})
          .ok());
  auto lines = EvalLines(options);
  ASSERT_EQ(lines.size(), 3);
  EXPECT_EQ(lines[0]["step"], 3);
  for (auto& line : lines) line.erase("elapsed_seconds");
  EXPECT_EQ(lines[1], lines[2]);
  EXPECT_EQ(lines[2]["examples"], 6);
}

TEST(PeriodicEvalTest, KeepsTheBest) {
  const ScratchDir dir;
  const TrainOptions options = OverfittingRun(dir);
  ASSERT_TRUE(RunTraining(options).ok());
  const auto lines = EvalLines(options);
  const auto best = std::min_element(
      lines.begin(), lines.end(),
      [](const auto& a, const auto& b) { return a["loss"] < b["loss"]; });
  const std::string best_dir = BestDir(options.run_dir);
  EXPECT_EQ(MustReadTensors(best_dir).at("global_step").ints[0],
            (*best)["step"].get<int64_t>());
  EXPECT_EQ(testing::ListFiles(best_dir, ".index").size(), 1);
  EXPECT_TRUE(ReadRunConfig(best_dir).ok());
}

TEST(PeriodicEvalTest, StopsWhenNothingImproves) {
  const ScratchDir dir;
  TrainOptions options = OverfittingRun(dir);
  const auto result = RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, TrainEnd::kNoImprovement);
  EXPECT_LT(result->global_step, 1000);
  const TensorMap tensors = MustReadTensors(dir.Path("run/train"));
  EXPECT_EQ(tensors.at("continuo/eval_best_step").ints[0] + 9,
            result->global_step);
  // Started again it has nothing to do, unless more patience is asked for.
  const auto again = RunTraining(options);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->end, TrainEnd::kNoImprovement);
  EXPECT_EQ(again->global_step, result->global_step);
  options.eval.early_stopping_evals = 5;
  const auto more = RunTraining(options);
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_GT(more->global_step, result->global_step);
}

TEST(PeriodicEvalTest, ARunThatStoppedEqualsOneThatDidNot) {
  const ScratchDir whole;
  ASSERT_TRUE(RunTraining(OverfittingRun(whole)).ok());
  const ScratchDir parts;
  TrainOptions options = OverfittingRun(parts);
  for (int64_t steps : {1, 3, 4, 12, 14, 1000}) {
    options.num_training_steps = steps;
    ASSERT_TRUE(RunTraining(options).ok());
  }
  for (const char* folder : {"run/train", "run/best"}) {
    EXPECT_TRUE(SameTensors(MustReadTensors(whole.Path(folder)),
                            MustReadTensors(parts.Path(folder))))
        << folder;
  }
  auto expected = EvalLines(OverfittingRun(whole));
  auto lines = EvalLines(options);
  ASSERT_EQ(lines.size(), expected.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    lines[i].erase("elapsed_seconds");
    expected[i].erase("elapsed_seconds");
    EXPECT_EQ(lines[i], expected[i]);
  }
}

// Wherever it comes, in the middle of an evaluation or between two steps, a
// stop changes nothing about what the run finds once it goes on.
TEST(PeriodicEvalTest, AStopAtAnyMomentChangesNothing) {
  const ScratchDir whole;
  TrainOptions options = EvaluatedRun(whole, 7);
  int64_t calls = 0;
  options.clock.monotonic = [&] { return absl::Seconds(++calls); };
  ASSERT_TRUE(RunTraining(options).ok());
  const auto expected = EvalLines(options);
  ASSERT_EQ(expected.size(), 2);
  const int64_t all_calls = calls;
  int interrupted = 0;
  for (int64_t moment = 1; moment <= all_calls; ++moment) {
    const ScratchDir parts;
    TrainOptions part = EvaluatedRun(parts, 7);
    StopFlag stop{false};
    calls = 0;
    part.clock.monotonic = [&] {
      if (++calls == moment) stop = true;
      return absl::Seconds(calls);
    };
    ThreadPool pool(1);
    const auto stopped = Train(part, Stream{.device = {}, .pool = &pool}, stop);
    ASSERT_TRUE(stopped.ok()) << stopped.status();
    interrupted +=
        MustReadTensors(parts.Path("run/train")).count("continuo/eval_pending");
    part.clock = {};
    ASSERT_TRUE(RunTraining(part).ok());
    for (const char* folder : {"run/train", "run/best"}) {
      EXPECT_TRUE(SameTensors(MustReadTensors(whole.Path(folder)),
                              MustReadTensors(parts.Path(folder))))
          << folder << " stopped at moment " << moment;
    }
    const auto lines = EvalLines(part);
    ASSERT_EQ(lines.size(), 2) << moment;
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(lines[i]["step"], expected[i]["step"]);
      EXPECT_EQ(lines[i]["loss"], expected[i]["loss"]);
    }
  }
  EXPECT_GT(interrupted, 0);
}

TEST(PeriodicEvalTest, AnEvaluationInterruptedAtTheLastStepIsMadeAfterAll) {
  const ScratchDir whole;
  ASSERT_TRUE(RunTraining(EvaluatedRun(whole, 3)).ok());
  const ScratchDir dir;
  TrainOptions options = EvaluatedRun(dir, 3);
  StopFlag stop{false};
  options.clock.monotonic = [&] {
    // As soon as step 3 is reported, which is before its evaluation.
    stop = FileExists(dir.Path("run/train/log.jsonl")) &&
           absl::StrContains(testing::MustRead(dir.Path("run/train/log.jsonl")),
                             "\"step\":3,");
    return absl::ZeroDuration();
  };
  options.summary_frequency = 1;
  ThreadPool pool(1);
  const auto stopped =
      Train(options, Stream{.device = {}, .pool = &pool}, stop);
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(stopped->end, TrainEnd::kStopped);
  EXPECT_EQ(stopped->global_step, 3);
  EXPECT_TRUE(EvalLines(options).empty());
  options.clock = {};
  const auto result = RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, TrainEnd::kSteps);
  EXPECT_EQ(EvalLines(options).size(), 1);
  for (const char* folder : {"run/train", "run/best"}) {
    EXPECT_TRUE(SameTensors(MustReadTensors(whole.Path(folder)),
                            MustReadTensors(dir.Path(folder))));
  }
}

TEST(PeriodicEvalTest, ADivergedNetworkIsNeverTheBest) {
  const ScratchDir dir;
  TrainOptions options = EvaluatedRun(dir, 6);
  options.model.hparams = "batch_size=4,rnn_layer_sizes=[8],learning_rate=1e20";
  EXPECT_EQ(RunTraining(options).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(EvalLines(options).size(), 2);
  EXPECT_TRUE(testing::ListFiles(BestDir(options.run_dir), ".index").empty());
}

TEST(PeriodicEvalTest, UnsuitableDataWritesNothing) {
  const ScratchDir dir;
  TrainOptions options = EvaluatedRun(dir, 3);
  testing::MustWriteRecords(dir.Path("eval_data"),
                            {testing::PatternExample(0, 5, 99)});
  const absl::Status status = RunTraining(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_FALSE(FileExists(options.run_dir));
}

}  // namespace
}  // namespace continuo
