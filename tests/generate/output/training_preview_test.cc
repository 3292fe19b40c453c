// SPDX-License-Identifier: Apache-2.0

#include "generate/output/training_preview.h"

#include <memory>
#include <vector>

#include "data/events/encoder_table.h"
#include "generate/pictures/canvas.h"
#include "gtest/gtest.h"
#include "models/network/network.h"
#include "models/network/weights.h"
#include "runtime/base/threads.h"

namespace continuo {
namespace {

// An untrained network of a few units.
struct Network {
  ModelConfig config;
  ThreadPool pool{2};
  std::unique_ptr<EventRnn> rnn;
};

std::unique_ptr<Network> MakeNetwork(Family family, const char* name) {
  auto network = std::make_unique<Network>();
  network->config = *FindConfig(family, name);
  network->config.hparams.rnn_layer_sizes = {6};
  network->config.hparams.attn_length = 0;
  const auto encoder = MakeEventEncoder(network->config.encoding);
  auto rnn =
      EventRnn::Create(MakeNetworkSpec(*encoder, network->config.hparams),
                       Stream{.device = {}, .pool = &network->pool});
  CONTINUO_CHECK(rnn.ok());
  network->rnn = *std::move(rnn);
  std::vector<float> flat(network->rnn->flat_size());
  InitializeParameters(network->rnn->parameters(), 3, absl::MakeSpan(flat));
  CONTINUO_CHECK(network->rnn->SetWeights(flat).ok());
  return network;
}

TEST(TrainingPreviewTest, EveryConfigurationHasThem) {
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const ModelConfig& config : Configs(family)) {
      const auto network = MakeNetwork(family, config.name.c_str());
      const auto samples =
          GeneratePreviews(*network->rnn, network->config, 5, 2);
      ASSERT_TRUE(samples.ok()) << config.name << ": " << samples.status();
      ASSERT_EQ(samples->size(), 2);
      for (const auto& sample : *samples) {
        EXPECT_GT(sample.notes_size(), 0) << config.name;
        EXPECT_LE(sample.total_time(), 16.001) << config.name;
      }
    }
  }
}

TEST(TrainingPreviewTest, TheSameSeedGivesTheSamePicture) {
  const auto network = MakeNetwork(Family::kMelody, "lookback_rnn");
  const auto a = RenderPreviews(*network->rnn, network->config, 5);
  const auto b = RenderPreviews(*network->rnn, network->config, 5);
  const auto c = RenderPreviews(*network->rnn, network->config, 6);
  ASSERT_TRUE(a.ok()) << a.status();
  ASSERT_EQ(a->size(), 4);
  for (size_t i = 0; i < a->size(); ++i) {
    EXPECT_EQ(*(*a)[i].EncodePng(), *(*b)[i].EncodePng());
    EXPECT_NE(*(*a)[i].EncodePng(), *(*c)[i].EncodePng());
  }
}

TEST(TrainingPreviewTest, PicturesAreSmallEnoughForTensorBoard) {
  const auto network = MakeNetwork(Family::kPerformance, "performance");
  const auto pictures = RenderPreviews(*network->rnn, network->config, 5);
  ASSERT_TRUE(pictures.ok()) << pictures.status();
  for (const Canvas& picture : *pictures) {
    EXPECT_LE(picture.width(), 450);
    EXPECT_LE(picture.height(), 350);
  }
}

TEST(TrainingPreviewTest, AStopEndsThemEarly) {
  const auto network = MakeNetwork(Family::kMelody, "lookback_rnn");
  int asked = 0;
  const auto samples = GeneratePreviews(*network->rnn, network->config, 5, 2,
                                        [&asked] { return ++asked > 3; });
  ASSERT_TRUE(samples.ok()) << samples.status();
  EXPECT_LE(asked, 8);
}

TEST(TrainingPreviewTest, DivergedWeightsAreAnError) {
  const auto network = MakeNetwork(Family::kDrums, "drum_kit");
  std::vector<float> flat(network->rnn->flat_size(), 1e38f);
  ASSERT_TRUE(network->rnn->SetWeights(flat).ok());
  EXPECT_FALSE(RenderPreviews(*network->rnn, network->config, 5).ok());
}

}  // namespace
}  // namespace continuo
