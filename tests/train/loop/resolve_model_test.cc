// SPDX-License-Identifier: Apache-2.0

#include "train/loop/resolve_model.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

std::string MustFail(const RequestedModel& flags,
                     const std::optional<RunConfig>& stored, JobKind job) {
  const auto model = ResolveModel(Family::kMelody, flags, stored, job);
  EXPECT_FALSE(model.ok());
  return std::string(model.status().message());
}

RunConfig Stored() {
  RunConfig config;
  config.model = *FindConfig(Family::kMelody, "lookback_rnn");
  config.model.hparams.learning_rate = 0.25;
  return config;
}

TEST(ResolveModelTest, NewRunsNeedExactlyOneConfiguration) {
  EXPECT_TRUE(absl::StrContains(MustFail({}, std::nullopt, JobKind::kTrain),
                                "`config` is missing"));
  const std::string both =
      MustFail({.config = "basic_rnn", .melody_encoder_decoder = "key"},
               std::nullopt, JobKind::kTrain);
  EXPECT_TRUE(absl::StrContains(both, "`config`=basic_rnn")) << both;
  EXPECT_TRUE(absl::StrContains(both, "`melody_encoder_decoder`=key")) << both;
  EXPECT_TRUE(absl::StrContains(
      MustFail({.config = "rock_rnn"}, std::nullopt, JobKind::kTrain),
      "attention_rnn"));
  EXPECT_TRUE(absl::StrContains(
      MustFail({.melody_encoder_decoder = "x"}, std::nullopt, JobKind::kTrain),
      "onehot, lookback, key"));
}

TEST(ResolveModelTest, FlagsOverrideTheConfiguration) {
  const auto model = ResolveModel(Family::kMelody,
                                  {.config = "basic_rnn",
                                   .generator_id = "mine",
                                   .generator_description = "My own",
                                   .hparams = "batch_size=3"},
                                  std::nullopt, JobKind::kTrain);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->name, "basic_rnn");
  EXPECT_EQ(model->id, "mine");
  EXPECT_EQ(model->description, "My own");
  EXPECT_EQ(model->hparams.batch_size, 3);
  EXPECT_EQ(model->hparams.clip_norm, 5);
}

TEST(ResolveModelTest, ARunKnowsItsModel) {
  for (JobKind job : {JobKind::kTrain, JobKind::kEvaluate}) {
    const auto model = ResolveModel(Family::kMelody, {}, Stored(), job);
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_EQ(model->name, "lookback_rnn");
    EXPECT_EQ(model->hparams.learning_rate, 0.25);
    EXPECT_TRUE(ResolveModel(Family::kMelody,
                             {.config = "lookback_rnn",
                              .hparams = "batch_size=5,attn_length=0"},
                             Stored(), job)
                    .ok());
    const std::string config = MustFail({.config = "basic_rnn"}, Stored(), job);
    EXPECT_TRUE(absl::StrContains(config, "basic_rnn")) << config;
    EXPECT_TRUE(absl::StrContains(config, "lookback_rnn")) << config;
    const std::string hparams =
        MustFail({.hparams = "rnn_layer_sizes=[64]"}, Stored(), job);
    EXPECT_TRUE(absl::StrContains(hparams, "rnn_layer_sizes=[64]")) << hparams;
    EXPECT_TRUE(absl::StrContains(hparams, "rnn_layer_sizes=[128,128]"))
        << hparams;
    MustFail({.melody_encoder_decoder = "onehot"}, Stored(), job);
  }
}

TEST(ResolveModelTest, TrainingMayChangeWhatLeavesTheNetworkAlone) {
  const RequestedModel flags = {.hparams = "learning_rate=0.5,clip_norm=1"};
  const auto model =
      ResolveModel(Family::kMelody, flags, Stored(), JobKind::kTrain);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->hparams.learning_rate, 0.5);
  const std::string message = MustFail(flags, Stored(), JobKind::kEvaluate);
  EXPECT_TRUE(absl::StrContains(message, "learning_rate=0.5")) << message;
  EXPECT_TRUE(absl::StrContains(message, "learning_rate=0.25")) << message;
}

TEST(ResolveModelTest, ARunOfAnotherFamilyIsRefused) {
  RunConfig stored = Stored();
  stored.model.family = Family::kDrums;
  EXPECT_TRUE(
      absl::StrContains(MustFail({}, stored, JobKind::kTrain), "drums_rnn"));
}

}  // namespace
}  // namespace continuo
