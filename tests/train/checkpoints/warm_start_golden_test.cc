// SPDX-License-Identifier: Apache-2.0

// A new run that begins with the weights of one of Magenta's bundles (golden
// family "bundles").

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/checkpoint.h"
#include "models/config/run_config.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/trainer.h"

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
  options.model.hparams = "batch_size=1";
  options.warm_start_bundle_file = path;
  options.num_training_steps = 1;

  // Another network is refused before anything is written.
  TrainOptions other = options;
  other.model.hparams = "batch_size=1,rnn_layer_sizes=[16,13]";
  EXPECT_FALSE(testing::RunTraining(other).ok());
  EXPECT_FALSE(FileExists(dir.Path("run/train/checkpoint")));

  const auto golden = testing::MustReadJson(
      GoldenDir("bundles/performance_with_dynamics.json"));
  // Its own sizes need not be given.
  const auto result = testing::RunTraining(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto start = ReadCheckpoint(dir.Path("run/train/model.ckpt-0"));
  ASSERT_TRUE(start.ok()) << start.status();
  for (const auto& [name, tensor] : bundle->tensors) {
    ASSERT_EQ(start->count(name), 1u) << name;
    EXPECT_EQ(start->at(name).floats, tensor.floats) << name;
  }
  EXPECT_EQ(start->at("global_step").ints, std::vector<int64_t>{0});
  const auto config = ReadRunConfig(dir.Path("run/train"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->model.name, options.model.config);
  EXPECT_EQ(nlohmann::json(config->model.hparams.rnn_layer_sizes),
            golden["hparams"]["rnn_layer_sizes"]);
}

// The README's line: nothing but the bundle and the data.
TEST(WarmStartGoldenTest, ABundleWithAttentionBringsItsNetwork) {
  const std::string path = GoldenDir("bundles/attention_rnn.mag");
  const std::string examples = GoldenDir(
      "pipelines/melody_rnn/attention_rnn/training_melodies.tfrecord");
  if (!FileExists(path) || !FileExists(examples)) {
    ASSERT_TRUE(testing::GoldenDirIsForeign()) << path << " or " << examples;
    GTEST_SKIP() << "no bundle with attention";
  }
  const auto golden =
      testing::MustReadJson(GoldenDir("bundles/attention_rnn.json"));
  for (const char* name : {"", "attention_rnn"}) {
    const testing::ScratchDir dir;
    TrainOptions options;
    options.run_dir = dir.Path("run");
    options.sequence_example_file = examples;
    options.model.config = name;
    options.warm_start_bundle_file = path;
    options.num_training_steps = 1;
    options.model.hparams = "batch_size=2";
    const auto result = testing::RunTraining(options);
    ASSERT_TRUE(result.ok()) << result.status();
    const auto config = ReadRunConfig(dir.Path("run/train"));
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->model.name, "attention_rnn");
    EXPECT_EQ(nlohmann::json(config->model.hparams.rnn_layer_sizes),
              golden["hparams"]["rnn_layer_sizes"]);
    EXPECT_EQ(config->model.hparams.attn_length,
              golden["hparams"]["attn_length"].get<int>());
    EXPECT_EQ(config->model.hparams.batch_size, 2);

    // Another window is a contradiction.
    options.run_dir = dir.Path("other");
    options.model.hparams = "attn_length=40";
    const absl::Status other = testing::RunTraining(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(other)) << other;
    EXPECT_NE(other.message().find("attn_length=40"), std::string::npos)
        << other;
    EXPECT_FALSE(FileExists(dir.Path("other/train")));
  }
}

}  // namespace
}  // namespace continuo
