// SPDX-License-Identifier: Apache-2.0

// Networks trained on compact records and on SequenceExamples are the same, bit
// for bit.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/dataset/dataset_builder.h"
#include "gtest/gtest.h"
#include "tests/testing/family_music.h"
#include "tests/train/loop/small_run.h"

namespace continuo {
namespace {

using testing::MustRead;

TEST(CompactTrainingTest, TrainsTheSameNetworks) {
  const testing::ScratchDir scratch;
  ThreadPool pool(2);
  for (absl::string_view name :
       {"basic_rnn", "lookback_rnn", "attention_rnn", "drum_kit",
        "performance_with_dynamics_compact",
        "performance_with_dynamics_and_modulo_encoding",
        "performance_with_dynamics_and_note_encoding",
        "optional_multiconditioned_performance_with_dynamics"}) {
    SCOPED_TRACE(name);
    ModelConfig config;
    for (const ModelConfig& each : testing::AllConfigs()) {
      if (each.name == name) config = each;
    }
    std::vector<std::string> notes;
    for (int i = 0; i < 4; ++i) {
      notes.push_back(testing::MakeMusic(config.family, i).SerializeAsString());
    }
    testing::MustWriteRecords(scratch.Path("notes"), notes);
    std::vector<std::string> checkpoints;
    for (auto [format, folder] :
         {std::pair(DatasetFormat::kMagenta, "magenta"),
          std::pair(DatasetFormat::kCompact, "compact")}) {
      DatasetOptions data;
      data.inputs = {scratch.Path("notes")};
      data.eval_ratio = 0.3;
      data.draw = [](int64_t index) { return index == 0 ? 0.1 : 0.9; };
      data.format = format;
      data.output_dir = scratch.Path(absl::StrCat(name, "/", folder));
      DatasetSummary summary;
      ASSERT_TRUE(
          BuildDataset(*testing::MakePipeline(config), data, &pool, &summary)
              .ok());
      TrainOptions train;
      train.family = config.family;
      train.run_dir = data.output_dir + "/run";
      train.sequence_example_file = summary.files[0];
      train.model.config = config.name;
      train.model.hparams = "batch_size=2,rnn_layer_sizes=[6]";
      if (name == "attention_rnn") {
        absl::StrAppend(&train.model.hparams, ",attn_length=5");
      }
      if (name == "drum_kit") {
        absl::StrAppend(&train.model.hparams, ",attn_length=0");
      }
      train.seed = 3;
      train.num_training_steps = 3;
      train.eval.every_steps = 3;
      train.eval.sequence_example_file = summary.files[1];
      const auto result = testing::RunTraining(train);
      ASSERT_TRUE(result.ok()) << result.status();
      const std::string prefix = train.run_dir + "/train/model.ckpt-3";
      checkpoints.push_back(MustRead(prefix + ".index") +
                            MustRead(prefix + ".data-00000-of-00001"));
      const auto lines =
          testing::ReadJsonLines(train.run_dir + "/eval/log.jsonl");
      ASSERT_FALSE(lines.empty());
      checkpoints.back() += lines.back()["loss"].dump();
    }
    EXPECT_TRUE(checkpoints[0] == checkpoints[1]);
  }
}

}  // namespace
}  // namespace continuo
