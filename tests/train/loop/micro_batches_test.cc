// SPDX-License-Identifier: Apache-2.0

// Training with batches that are cut into micro-batches.

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "models/config/run_config.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"

namespace continuo {
namespace {

using testing::MustReadLatest;
using testing::ReadJsonLines;
using testing::RunTraining;
using testing::SameTensors;
using testing::ScratchDir;
using testing::SmallRun;

TrainOptions CutRun(const ScratchDir& dir, int64_t steps,
                    std::optional<int> micro_batches) {
  TrainOptions options = SmallRun(dir, steps);
  options.micro_batches = micro_batches;
  options.summary_frequency = 1;
  return options;
}

std::vector<double> Losses(const TrainOptions& options) {
  std::vector<double> losses;
  for (const auto& line :
       ReadJsonLines(JoinPath(TrainDir(options.run_dir), "log.jsonl"))) {
    losses.push_back(line["loss"].get<double>());
  }
  return losses;
}

// The same training but for rounding, with more micro-batches than rows too.
TEST(MicroBatchesRunTest, CurvesAreThoseOfTheWholeBatch) {
  const ScratchDir whole_dir;
  const TrainOptions whole = CutRun(whole_dir, 12, std::nullopt);
  ASSERT_TRUE(RunTraining(whole).ok());
  const std::vector<double> want = Losses(whole);
  for (const int count : {2, 3, 7}) {
    const ScratchDir dir;
    const TrainOptions cut = CutRun(dir, 12, count);
    ASSERT_TRUE(RunTraining(cut).ok());
    const std::vector<double> got = Losses(cut);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i], want[i], 1e-4) << count << " " << i;
    }
    EXPECT_FALSE(SameTensors(MustReadLatest(whole), MustReadLatest(cut)));
  }
}

// One micro-batch is no cut at all, and leaves no trace in the run.
TEST(MicroBatchesRunTest, OneIsTheDefault) {
  const ScratchDir a, b;
  const TrainOptions one = CutRun(a, 5, 1);
  const TrainOptions none = CutRun(b, 5, std::nullopt);
  ASSERT_TRUE(RunTraining(one).ok());
  ASSERT_TRUE(RunTraining(none).ok());
  EXPECT_TRUE(SameTensors(MustReadLatest(one), MustReadLatest(none)));
  const auto text = [](const TrainOptions& options) {
    return testing::MustRead(
        JoinPath(TrainDir(options.run_dir), kRunConfigFile));
  };
  EXPECT_EQ(text(one), text(none));
  EXPECT_FALSE(absl::StrContains(text(one), "micro_batches"));
}

TEST(MicroBatchesRunTest, AResumedRunKeepsItsNumber) {
  const ScratchDir whole_dir, parts_dir, threads_dir;
  const TrainOptions whole = CutRun(whole_dir, 9, 3);
  ASSERT_TRUE(RunTraining(whole).ok());
  EXPECT_EQ(ReadRunConfig(TrainDir(whole.run_dir))->micro_batches, 3);
  ASSERT_TRUE(RunTraining(CutRun(parts_dir, 4, 3)).ok());
  const TrainOptions rest = CutRun(parts_dir, 9, std::nullopt);
  ASSERT_TRUE(RunTraining(rest).ok());
  EXPECT_TRUE(SameTensors(MustReadLatest(whole), MustReadLatest(rest)));
  const TrainOptions threads = CutRun(threads_dir, 9, 3);
  ASSERT_TRUE(RunTraining(threads, /*threads=*/1).ok());
  EXPECT_TRUE(SameTensors(MustReadLatest(whole), MustReadLatest(threads)));
}

TEST(MicroBatchesRunTest, EvaluatesInBatchesOfAMicroBatch) {
  const ScratchDir dir;
  TrainOptions options = CutRun(dir, 4, 4);
  options.eval = {.every_steps = 2,
                  .sequence_example_file = options.sequence_example_file,
                  .keep_best = true};
  const auto result = RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto lines =
      ReadJsonLines(JoinPath(EvalDir(options.run_dir), "log.jsonl"));
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0]["examples"].get<int>(), 11);
}

TEST(MicroBatchesRunTest, ANumberThatIsNoneIsNamed) {
  for (const int count : {0, -1, kMaxMicroBatches + 1}) {
    const ScratchDir dir;
    const absl::Status status = RunTraining(CutRun(dir, 1, count)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_TRUE(absl::StrContains(status.message(), "`micro_batches`="))
        << status;
  }
}

}  // namespace
}  // namespace continuo
