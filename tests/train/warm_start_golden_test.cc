// A new run that begins with the weights of one of the original's bundles
// (golden family "bundles").

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/bundle.h"
#include "models/checkpoint.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/small_run.h"
#include "train/trainer.h"

namespace continuo {
namespace {

using testing::GoldenDir;

TEST(WarmStartGoldenTest, TheFirstCheckpointHoldsTheBundlesWeights) {
  const std::string path = GoldenDir("bundles/performance_with_dynamics.mag");
  const std::string examples = GoldenDir(
      "pipelines/performance_rnn/performance_with_dynamics_compact/"
      "training_performances.tfrecord");
  if (!FileExists(path) || !FileExists(examples)) {
    ASSERT_TRUE(testing::GoldenDirIsForeign()) << path << " or " << examples;
    GTEST_SKIP() << "no bundle of performances";
  }
  const auto bundle = ReadBundle(path);
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  const testing::ScratchDir dir;
  TrainOptions options;
  options.run_dir = dir.Path("run");
  options.sequence_example_file = examples;
  options.family = Family::kPerformance;
  options.model.config = "performance_with_dynamics_compact";
  options.model.hparams = "batch_size=1,rnn_layer_sizes=[16,12]";
  options.warm_start_bundle_file = path;
  options.num_training_steps = 1;

  // Another network is refused before anything is written.
  TrainOptions other = options;
  other.model.hparams = "batch_size=1,rnn_layer_sizes=[16,13]";
  EXPECT_FALSE(testing::RunTraining(other).ok());
  EXPECT_FALSE(FileExists(dir.Path("run/train/checkpoint")));

  const auto golden = testing::MustReadJson(
      GoldenDir("bundles/performance_with_dynamics.json"));
  options.model.hparams =
      absl::StrCat("batch_size=1,rnn_layer_sizes=",
                   golden["hparams"]["rnn_layer_sizes"].dump());
  const auto result = testing::RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto start = ReadCheckpoint(dir.Path("run/train/model.ckpt-0"));
  ASSERT_TRUE(start.ok()) << start.status();
  for (const auto& [name, tensor] : bundle->tensors) {
    ASSERT_EQ(start->count(name), 1u) << name;
    EXPECT_EQ(start->at(name).floats, tensor.floats) << name;
  }
  EXPECT_EQ(start->at("global_step").ints, std::vector<int64_t>{0});
}

}  // namespace
}  // namespace continuo
