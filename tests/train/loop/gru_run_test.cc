// SPDX-License-Identifier: Apache-2.0

// A run whose layers are GRUs: trained, resumed, loaded and tuned, and what
// cannot take it.

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "generate/model/load_model.h"
#include "generate/model/save_bundle.h"
#include "gtest/gtest.h"
#include "models/checkpoint/checkpoint.h"
#include "tests/train/loop/small_run.h"

namespace continuo {
namespace {

class GruRunTest : public ::testing::Test {
 protected:
  TrainOptions Run(const std::string& folder, int64_t steps) const {
    TrainOptions options = testing::SmallRun(dir_, steps);
    options.run_dir = dir_.Path(folder);
    absl::StrAppend(&options.model.hparams, ",cell=gru");
    return options;
  }
  absl::StatusOr<LoadedModel> Load(const std::string& folder) {
    ModelSource source;
    source.run_dir = dir_.Path(folder);
    return LoadModel(source, Family::kMelody, stream());
  }
  Stream stream() { return {.device = {}, .pool = &pool_}; }

  testing::ScratchDir dir_;
  ThreadPool pool_{2};
};

TEST_F(GruRunTest, ResumedIsTheSameAsUninterrupted) {
  for (const int steps : {4, 9}) {
    TrainOptions options = Run("halves", steps);
    if (steps == 9) options.model.hparams = "";  // the run knows its cell
    const auto result = testing::RunTraining(options);
    ASSERT_TRUE(result.ok()) << result.status();
  }
  ASSERT_TRUE(testing::RunTraining(Run("whole", 9)).ok());
  const auto halves = ReadCheckpoint(dir_.Path("halves/train/model.ckpt-9"));
  const auto whole = ReadCheckpoint(dir_.Path("whole/train/model.ckpt-9"));
  ASSERT_TRUE(halves.ok() && whole.ok());
  EXPECT_TRUE(testing::SameTensors(*halves, *whole));
  const std::string bias = "rnn/multi_rnn_cell/cell_0/gru_cell/gates/bias";
  EXPECT_EQ(whole->at(bias).floats.size(), 16u);
  EXPECT_EQ(whole->count(bias + "/Adam"), 1u);
  // From 1, at which it began, in nine steps of 0.01.
  EXPECT_NEAR(whole->at(bias).floats[0], 1, 0.1);

  TrainOptions other = Run("whole", 10);
  other.model.hparams = "cell=lstm";
  const absl::Status disagrees = testing::RunTraining(other).status();
  EXPECT_TRUE(absl::StrContains(disagrees.message(), "cell=gru")) << disagrees;
}

TEST_F(GruRunTest, LoadsAndBeginsOthers) {
  ASSERT_TRUE(testing::RunTraining(Run("run", 3)).ok());
  const auto model = Load("run");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->rnn->spec().cell, Cell::kGru);

  TrainOptions tuned = Run("tuned", 2);
  tuned.model.hparams = "batch_size=4";
  tuned.warm_start_bundle_file = dir_.Path("run");
  const auto result = testing::RunTraining(tuned);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Load("tuned")->rnn->spec().cell, Cell::kGru);
}

TEST_F(GruRunTest, BundlesForMagentaRefuseIt) {
  ASSERT_TRUE(testing::RunTraining(Run("run", 1)).ok());
  ModelSource source;
  source.run_dir = dir_.Path("run");
  BundleRequest request;
  request.bundle_file = dir_.Path("model.mag");
  const absl::Status status =
      SaveBundle(source, request, Family::kMelody, stream());
  ASSERT_FALSE(status.ok());
  for (const char* part : {"model.mag", "gru", "run_dir"}) {
    EXPECT_TRUE(absl::StrContains(status.message(), part)) << status;
  }
}

TEST_F(GruRunTest, AttentionRefusesIt) {
  TrainOptions options = Run("run", 1);
  options.model.config = "attention_rnn";
  const absl::Status status = testing::RunTraining(options).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "give attn_length=0"))
      << status;
}

}  // namespace
}  // namespace continuo
