#include "generate/samples.h"

#include <memory>
#include <vector>

#include "data/events/encoder_table.h"
#include "gtest/gtest.h"
#include "models/network.h"
#include "models/weights.h"
#include "runtime/threads.h"

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

TEST(SamplesTest, EveryConfigurationHasThem) {
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const ModelConfig& config : Configs(family)) {
      const auto network = MakeNetwork(family, config.name.c_str());
      const auto samples = WriteSamples(*network->rnn, network->config, 5, 2);
      ASSERT_TRUE(samples.ok()) << config.name << ": " << samples.status();
      ASSERT_EQ(samples->size(), 2);
      for (const auto& sample : *samples) {
        EXPECT_GT(sample.notes_size(), 0) << config.name;
        EXPECT_LE(sample.total_time(), 16.001) << config.name;
      }
    }
  }
}

TEST(SamplesTest, TheSameSeedGivesTheSamePicture) {
  const auto network = MakeNetwork(Family::kMelody, "lookback_rnn");
  const auto a = DrawSamples(*network->rnn, network->config, 5);
  const auto b = DrawSamples(*network->rnn, network->config, 5);
  const auto c = DrawSamples(*network->rnn, network->config, 6);
  ASSERT_TRUE(a.ok()) << a.status();
  EXPECT_EQ(*a->EncodePng(), *b->EncodePng());
  EXPECT_NE(*a->EncodePng(), *c->EncodePng());
}

TEST(SamplesTest, DivergedWeightsAreAnError) {
  const auto network = MakeNetwork(Family::kDrums, "drum_kit");
  std::vector<float> flat(network->rnn->flat_size(), 1e38f);
  ASSERT_TRUE(network->rnn->SetWeights(flat).ok());
  EXPECT_FALSE(DrawSamples(*network->rnn, network->config, 5).ok());
}

}  // namespace
}  // namespace continuo
