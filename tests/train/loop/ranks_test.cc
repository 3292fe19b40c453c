// SPDX-License-Identifier: Apache-2.0

// Training of several ranks: the bits, the files and the end of one process.

#include "tests/train/loop/ranks.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/config/run_config.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "train/checkpoints/run_lock.h"

namespace continuo {
namespace {

using testing::CheckpointBytes;
using testing::ClockThatActs;
using testing::ReadJsonLines;
using testing::RunTraining;
using testing::ScratchDir;
using testing::SmallRun;
using testing::TrainTogether;

TrainOptions SharedRun(const ScratchDir& dir, int64_t steps, int batch_size = 9,
                       std::optional<int> micro_batches = 8) {
  TrainOptions options = SmallRun(dir, steps);
  options.model.hparams =
      absl::StrCat("batch_size=", batch_size,
                   ",rnn_layer_sizes=[8,6],dropout_keep_prob=0.7,"
                   "learning_rate=0.01");
  options.micro_batches = micro_batches;
  options.summary_frequency = 1;
  return options;
}

std::string Checkpoint(const TrainOptions& options, int64_t step) {
  return CheckpointBytes(TrainDir(options.run_dir), step);
}

void ExpectAllEnd(const std::vector<absl::StatusOr<TrainResult>>& results,
                  TrainEnd end, int64_t step) {
  for (const auto& result : results) {
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->end, end);
    EXPECT_EQ(result->global_step, step);
    EXPECT_EQ(result->checkpoint, results[0]->checkpoint);
  }
}

TEST(RanksTest, AnyNumberTrainsAsOneProcess) {
  const ScratchDir one_dir;
  const TrainOptions one = SharedRun(one_dir, 6);
  ASSERT_TRUE(RunTraining(one).ok());
  const std::string want = Checkpoint(one, 6);
  // More than micro-batches, too: some have nothing to do.
  for (const int ranks : {2, 3, 4, 8, 9}) {
    const ScratchDir dir;
    const TrainOptions options = SharedRun(dir, 6);
    ExpectAllEnd(TrainTogether(options, ranks), TrainEnd::kSteps, 6);
    EXPECT_TRUE(Checkpoint(options, 6) == want) << ranks;
    const std::string train = TrainDir(options.run_dir);
    EXPECT_EQ(
        testing::MustRead(JoinPath(train, kRunConfigFile)),
        testing::MustRead(JoinPath(TrainDir(one.run_dir), kRunConfigFile)));
    // One rank's reports.
    const auto lines = ReadJsonLines(JoinPath(train, "log.jsonl"));
    const auto one_lines =
        ReadJsonLines(JoinPath(TrainDir(one.run_dir), "log.jsonl"));
    ASSERT_EQ(lines.size(), 6);
    for (size_t i = 0; i < lines.size(); ++i) {
      for (const char* name :
           {"loss", "accuracy", "loss_per_step", "gradient_norm", "epoch"}) {
        EXPECT_EQ(lines[i][name], one_lines[i][name]) << name;
      }
    }
    EXPECT_EQ(testing::ListFiles(train, ".index").size(), 2);
  }
}

TEST(RanksTest, SixtyFourRanksTrainAsOneProcess) {
  const ScratchDir one_dir, many_dir;
  const TrainOptions one = SharedRun(one_dir, 3, 70, 64);
  ASSERT_TRUE(RunTraining(one).ok());
  const TrainOptions many = SharedRun(many_dir, 3, 70, 64);
  ExpectAllEnd(TrainTogether(many, 64), TrainEnd::kSteps, 3);
  EXPECT_TRUE(Checkpoint(many, 3) == Checkpoint(one, 3));
}

TEST(RanksTest, ARunGoesOnWithAnotherNumberOfRanks) {
  const ScratchDir whole_dir, parts_dir;
  const TrainOptions whole = SharedRun(whole_dir, 9);
  ASSERT_TRUE(RunTraining(whole).ok());
  ExpectAllEnd(TrainTogether(SharedRun(parts_dir, 2), 2), TrainEnd::kSteps, 2);
  // The number of micro-batches is the run's.
  ExpectAllEnd(TrainTogether(SharedRun(parts_dir, 4, 9, std::nullopt), 4),
               TrainEnd::kSteps, 4);
  ExpectAllEnd(TrainTogether(SharedRun(parts_dir, 7, 9, std::nullopt), 3),
               TrainEnd::kSteps, 7);
  const TrainOptions rest = SharedRun(parts_dir, 9, 9, std::nullopt);
  ASSERT_TRUE(RunTraining(rest).ok());
  EXPECT_TRUE(Checkpoint(rest, 9) == Checkpoint(whole, 9));
}

TEST(RanksTest, MicroBatchesAreTheRanksRoundedUp) {
  const ScratchDir dir;
  TrainOptions options = SharedRun(dir, 2, 9, std::nullopt);
  options.seed.reset();  // a random one, the same on all
  ExpectAllEnd(TrainTogether(options, 3), TrainEnd::kSteps, 2);
  EXPECT_EQ(ReadRunConfig(TrainDir(options.run_dir))->micro_batches, 4);
}

TEST(RanksTest, AStopOfAnyRankEndsAllAtOneStep) {
  const ScratchDir whole_dir, dir;
  const TrainOptions whole = SharedRun(whole_dir, 40);
  ASSERT_TRUE(RunTraining(whole).ok());
  const TrainOptions options = SharedRun(dir, 40);
  const auto results = TrainTogether(
      options, 3, {.adapt = [](int rank, TrainOptions* own, StopFlag* stop) {
        if (rank != 2) return;
        own->clock = ClockThatActs(20, [stop] { stop->store(true); });
      }});
  ASSERT_TRUE(results[0].ok()) << results[0].status();
  const int64_t step = results[0]->global_step;
  EXPECT_GE(step, 1);
  EXPECT_LT(step, 40);
  ExpectAllEnd(results, TrainEnd::kStopped, step);
  EXPECT_FALSE(Checkpoint(options, step).empty());
  ExpectAllEnd(TrainTogether(options, 2), TrainEnd::kSteps, 40);
  EXPECT_TRUE(Checkpoint(options, 40) == Checkpoint(whole, 40));
}

// Whatever the clocks of the others say.
TEST(RanksTest, TheFirstRankTellsTheTime) {
  const ScratchDir dir;
  TrainOptions options = SharedRun(dir, 0);
  options.max_time = absl::Hours(2);
  options.save_interval = absl::InfiniteDuration();
  const auto adapt = [](int rank, TrainOptions* own, StopFlag*) {
    auto late = std::make_shared<std::atomic<bool>>(false);
    if (rank == 0) {
      own->clock = ClockThatActs(30, [late] { late->store(true); });
    } else {
      late->store(true);
    }
    own->clock.monotonic = [late, before = own->clock.monotonic] {
      const absl::Duration now = before();
      return late->load() ? now + absl::Hours(3) : now;
    };
  };
  const auto results = TrainTogether(options, 2, {.adapt = adapt});
  ASSERT_TRUE(results[0].ok()) << results[0].status();
  EXPECT_GE(results[0]->global_step, 1);
  ExpectAllEnd(results, TrainEnd::kTime, results[0]->global_step);
}

TEST(RanksTest, ALossThatIsNotFiniteEndsAllAtOneStep) {
  const ScratchDir dir;
  TrainOptions options = SharedRun(dir, 50);
  options.model.hparams =
      "batch_size=9,rnn_layer_sizes=[8],dropout_keep_prob=1,"
      "learning_rate=3e38,clip_norm=0";
  const auto results = TrainTogether(options, 3);
  const std::string first(results[0].status().message());
  ASSERT_TRUE(absl::StrContains(first, "rank 0 of 3, after step")) << first;
  const std::string what = first.substr(first.find("after step"));
  EXPECT_TRUE(absl::StrContains(what, "is not finite")) << first;
  for (const auto& result : results) {
    EXPECT_TRUE(absl::IsAborted(result.status()));
    EXPECT_TRUE(absl::StrContains(result.status().message(), what))
        << result.status();
  }
}

TEST(RanksTest, ARankThatFailsIsNamedByAll) {
  const ScratchDir dir;
  const TrainOptions options = SharedRun(dir, 1000);
  // The same examples, of which the file is damaged on the way.
  const std::string own_data = dir.Path("own_data");
  ASSERT_TRUE(WriteFileAtomically(
                  own_data, testing::MustRead(options.sequence_example_file))
                  .ok());
  const auto results = TrainTogether(
      options, 3,
      {.adapt = [&own_data](int rank, TrainOptions* own, StopFlag*) {
        if (rank != 1) return;
        own->sequence_example_file = own_data;
        own->clock = ClockThatActs(20, [own_data] {
          std::FILE* file = std::fopen(own_data.c_str(), "r+b");
          CONTINUO_CHECK(file != nullptr);
          std::fputs("damage", file);
          std::fclose(file);
        });
      }});
  for (const auto& result : results) {
    EXPECT_FALSE(result.ok());
    const std::string message(result.status().message());
    EXPECT_TRUE(absl::StrContains(message, "rank 1 ")) << message;
    EXPECT_TRUE(absl::StrContains(message, "after step")) << message;
    EXPECT_TRUE(absl::StrContains(message, own_data)) << message;
  }
  // What is there is whole, and goes on.
  TrainOptions rest = options;
  rest.num_training_steps = 3;
  ExpectAllEnd(TrainTogether(rest, 2), TrainEnd::kSteps, 3);
}

TEST(RanksTest, RanksThatAreNotAlikeDoNotBegin) {
  const ScratchDir dir;
  const TrainOptions options = SharedRun(dir, 2);
  testing::WriteBasicRnnData(dir.Path("other_data"), 12);
  const auto message = [&](auto change) {
    const auto results = TrainTogether(
        options, 3, {.adapt = [&](int rank, TrainOptions* own, StopFlag*) {
          if (rank == 2) change(own);
        }});
    for (const auto& result : results) {
      EXPECT_TRUE(absl::IsFailedPrecondition(result.status()))
          << result.status();
      EXPECT_EQ(result.status().message(), results[0].status().message());
    }
    return std::string(results[0].status().message());
  };
  EXPECT_TRUE(
      absl::StrContains(message([](TrainOptions* own) { own->seed = 18; }),
                        "`seed` is 17 on rank 0 but 18 on rank 2"));
  EXPECT_TRUE(absl::StrContains(
      message([](TrainOptions* own) { own->num_training_steps = 3; }),
      "`num_training_steps` is 2 on rank 0 but 3 on rank 2"));
  EXPECT_TRUE(absl::StrContains(message([&](TrainOptions* own) {
                                  own->sequence_example_file =
                                      dir.Path("other_data");
                                }),
                                "the training data is 11 examples"));
  EXPECT_FALSE(FileExists(options.run_dir));
}

TEST(RanksTest, ASecondTrainingIsRefused) {
  const ScratchDir dir;
  const TrainOptions options = SharedRun(dir, 2);
  ExpectAllEnd(TrainTogether(options, 2), TrainEnd::kSteps, 2);
  const auto lock = RunLock::Acquire(TrainDir(options.run_dir));
  ASSERT_TRUE(lock.ok());
  for (const auto& result : TrainTogether(SharedRun(dir, 4), 2)) {
    EXPECT_FALSE(result.ok());
    EXPECT_TRUE(
        absl::StrContains(result.status().message(), TrainDir(options.run_dir)))
        << result.status();
  }
}

TEST(RanksTest, EvaluationsAreThoseOfOneProcess) {
  const ScratchDir one_dir, dir;
  const auto with_eval = [](TrainOptions options) {
    options.eval = {.every_steps = 2,
                    .sequence_example_file = options.sequence_example_file,
                    .keep_best = true,
                    .early_stopping_evals = 2};
    return options;
  };
  const TrainOptions one = with_eval(SharedRun(one_dir, 8));
  const auto result = RunTraining(one);
  ASSERT_TRUE(result.ok()) << result.status();
  for (const int ranks : {2, 5}) {
    const ScratchDir several_dir;
    const TrainOptions several = with_eval(SharedRun(several_dir, 8));
    ExpectAllEnd(TrainTogether(several, ranks), result->end,
                 result->global_step);
    const auto want =
        ReadJsonLines(JoinPath(EvalDir(one.run_dir), "log.jsonl"));
    const auto got =
        ReadJsonLines(JoinPath(EvalDir(several.run_dir), "log.jsonl"));
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      for (const char* name :
           {"loss", "accuracy", "per_class_accuracy", "examples"}) {
        EXPECT_EQ(got[i][name], want[i][name]) << name;
      }
    }
    EXPECT_EQ(testing::ListFiles(BestDir(several.run_dir), ".index"),
              testing::ListFiles(BestDir(one.run_dir), ".index"));
    EXPECT_TRUE(Checkpoint(several, 8) == Checkpoint(one, 8));
  }
}

// Not the same bits, but the same training.
TEST(RanksTest, TheLibrarysOrderGivesTheSameCurve) {
  const ScratchDir one_dir, dir;
  const TrainOptions one = SharedRun(one_dir, 6);
  ASSERT_TRUE(RunTraining(one).ok());
  TrainOptions options = SharedRun(dir, 6);
  options.reduction = Reduction::kLibrary;
  ExpectAllEnd(TrainTogether(options, 3), TrainEnd::kSteps, 6);
  const auto want = ReadJsonLines(JoinPath(TrainDir(one.run_dir), "log.jsonl"));
  const auto got =
      ReadJsonLines(JoinPath(TrainDir(options.run_dir), "log.jsonl"));
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i]["loss"].get<double>(), want[i]["loss"].get<double>(),
                1e-4);
  }
}

}  // namespace
}  // namespace continuo
