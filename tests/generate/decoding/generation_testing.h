// SPDX-License-Identifier: Apache-2.0

// Small networks of every kind and mixed requests, for tests of the loops that
// generate.

#ifndef CONTINUO_TESTS_GENERATE_DECODING_GENERATION_TESTING_H_
#define CONTINUO_TESTS_GENERATE_DECODING_GENERATION_TESTING_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/events/encoder_table.h"
#include "generate/decoding/generator.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "models/network/event_rnn.h"
#include "models/network/network.h"
#include "runtime/device/device.h"

namespace continuo::testing {

// A published configuration with few units and uneven random weights.
struct SmallModel {
  SmallModel(const ModelConfig& config, const Stream& stream)
      : encoder(MakeEventEncoder(config.encoding)) {
    Hparams hparams = config.hparams;
    hparams.rnn_layer_sizes.assign(hparams.rnn_layer_sizes.size(), 12);
    if (hparams.attn_length > 0) hparams.attn_length = 5;
    rnn = *EventRnn::Create(MakeNetworkSpec(*encoder, hparams), stream);
    std::vector<float> weights(rnn->flat_size());
    InitializeParameters(rnn->parameters(), 11, absl::MakeSpan(weights));
    for (float& weight : weights) weight *= 3;
    CONTINUO_CHECK(rnn->SetWeights(weights).ok());
  }

  std::unique_ptr<EventEncoder> encoder;
  std::unique_ptr<EventRnn> rnn;
};

// The configurations of all families.
inline std::vector<const ModelConfig*> AllConfigs() {
  std::vector<const ModelConfig*> configs;
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const ModelConfig& config : Configs(family)) {
      configs.push_back(&config);
    }
  }
  return configs;
}

// Requests with primers of labels that the encoder knows, some shared, and of
// different lengths.
inline std::vector<EventRequest> MixedRequests(const EventEncoder& encoder,
                                               int count, int64_t longest) {
  std::vector<EventRequest> requests;
  for (int i = 0; i < count; ++i) {
    std::vector<Event> primer = {encoder.default_event()};
    for (int j = 0; j < i % 4; ++j) {
      std::vector<int64_t> label;
      for (int size : encoder.head_sizes()) {
        label.push_back((7 * j + 3 * (i % 2) + 1) % size);
      }
      primer.push_back(encoder.DecodeLabel(label, primer));
    }
    requests.push_back({.primer = std::move(primer),
                        .num_events = 1 + (i * 5 + longest - 1) % longest,
                        .output = static_cast<uint64_t>(3 * i)});
  }
  return requests;
}

inline std::vector<EventResult> GenerateAll(
    const SmallModel& model, const std::vector<EventRequest>& requests,
    const SearchOptions& options, const UniformSource& uniforms, int max_rows,
    const LoopOptions& loop) {
  std::vector<EventResult> results(requests.size());
  GenerateHooks hooks;
  hooks.done = [&](int64_t index, EventResult result) {
    EXPECT_TRUE(results[index].events.empty());
    results[index] = std::move(result);
    return absl::OkStatus();
  };
  const absl::Status status =
      GenerateEvents(*model.rnn, *model.encoder, requests, options, uniforms,
                     max_rows, hooks, loop);
  EXPECT_TRUE(status.ok()) << status;
  return results;
}

inline std::vector<SearchOptions> VariedSearches() {
  return {{},
          {.sampling = {.temperature = 0.7, .top_k = 5}},
          {.sampling = {.temperature = 1.3, .top_p = 0.8}},
          {.beam_size = 3},
          {.branch_factor = 3, .steps_per_iteration = 2},
          {.beam_size = 2, .branch_factor = 2, .steps_per_iteration = 3}};
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_GENERATE_DECODING_GENERATION_TESTING_H_
