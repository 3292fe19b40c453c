// SPDX-License-Identifier: Apache-2.0

// Small networks and batches of drawn data, for tests of the network on any
// device.

#ifndef CONTINUO_TESTS_MODELS_NETWORK_SMALL_NETWORK_H_
#define CONTINUO_TESTS_MODELS_NETWORK_SMALL_NETWORK_H_

#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "models/network/event_rnn.h"
#include "models/network/event_rnn_decoder.h"
#include "runtime/base/random.h"

namespace continuo::testing {

inline NetworkSpec Spec(int attn_length, bool residual,
                        std::vector<int> layers) {
  NetworkSpec spec;
  spec.input_size = 21;
  spec.head_sizes = {11, 6};
  spec.default_label = {2, 0};
  spec.layer_sizes = std::move(layers);
  spec.attn_length = attn_length;
  spec.residual_connections = residual;
  return spec;
}

// A network whose attention is around all layers.
inline NetworkSpec StackSpec(int attn_length, std::vector<int> layers) {
  NetworkSpec spec = Spec(attn_length, false, std::move(layers));
  spec.attention_around_stack = true;
  return spec;
}

// A network of GRU layers.
inline NetworkSpec GruSpec(bool residual, std::vector<int> layers) {
  NetworkSpec spec = Spec(0, residual, std::move(layers));
  spec.cell = Cell::kGru;
  return spec;
}

inline const std::vector<NetworkSpec>& Specs() {
  static const auto& specs = *new std::vector<NetworkSpec>{
      Spec(0, false, {18, 13}),    Spec(5, false, {18, 13}),
      Spec(0, true, {18, 18, 13}), Spec(5, true, {18, 13, 13}),
      StackSpec(5, {18, 13}),      GruSpec(false, {18, 13}),
      GruSpec(true, {18, 18, 13})};
  return specs;
}

inline int Draw(uint64_t stream, uint64_t index, int bound) {
  return static_cast<int>(
      RandomBelow(1, RandomPurpose::kShuffle, stream, index, bound));
}

inline EncodedSequence Example(const NetworkSpec& spec, uint64_t seed,
                               int length) {
  EncodedSequence sequence;
  sequence.inputs.width = spec.input_size;
  for (int t = 0; t < length; ++t) {
    const int first = Draw(seed, 10 * t, 10);
    sequence.inputs.Add(first, 1.0f);
    sequence.inputs.Add(first + 1 + Draw(seed, 10 * t + 1, 10), -0.5f);
    sequence.inputs.EndRow();
    for (size_t head = 0; head < spec.head_sizes.size(); ++head) {
      sequence.labels.push_back(
          Draw(seed, 10 * t + 2 + head, spec.head_sizes[head]));
    }
  }
  return sequence;
}

inline PackedBatch Pack(const std::vector<EncodedSequence>& examples) {
  std::vector<const EncodedSequence*> pointers;
  for (const EncodedSequence& example : examples) pointers.push_back(&example);
  return PackBatch(pointers, 2);
}

inline std::vector<EncodedSequence> Examples(const NetworkSpec& spec) {
  std::vector<EncodedSequence> examples;
  for (int i = 0; i < 15; ++i) {
    examples.push_back(Example(spec, i, 1 + i * 5 % 16));
  }
  return examples;
}

// A network with weights drawn from a seed and its trainer.
struct Model {
  Model(const NetworkSpec& spec, int threads) : pool(threads) {
    Make(spec, {.device = {}, .pool = &pool});
  }
  // On the device of a stream.
  Model(const NetworkSpec& spec, const Stream& stream) : pool(1) {
    Make(spec, stream);
  }
  std::vector<float> Gradient(const PackedBatch& batch,
                              const DropoutSpec& dropout) {
    LossSums sums;
    const absl::Status status =
        trainer->ComputeGradients(batch, dropout, &sums);
    EXPECT_TRUE(status.ok()) << status;
    std::vector<float> gradient(rnn->flat_size());
    EXPECT_TRUE(trainer->GetGradient(absl::MakeSpan(gradient)).ok());
    return gradient;
  }
  std::vector<float> Logits(const PackedBatch& batch) {
    LossSums sums;
    const absl::Status status = trainer->Evaluate(batch, {}, &sums);
    EXPECT_TRUE(status.ok()) << status;
    std::vector<float> logits;
    EXPECT_TRUE(trainer->GetLogits(&logits).ok());
    return logits;
  }
  std::vector<float> Weights() const {
    std::vector<float> now(rnn->flat_size());
    EXPECT_TRUE(rnn->GetWeights(absl::MakeSpan(now)).ok());
    return now;
  }

  ThreadPool pool;
  std::unique_ptr<EventRnn> rnn;
  std::vector<float> weights;  // the first ones
  std::unique_ptr<EventRnnTrainer> trainer;

 private:
  void Make(const NetworkSpec& spec, const Stream& stream) {
    rnn = *EventRnn::Create(spec, stream);
    weights.resize(rnn->flat_size());
    InitializeParameters(rnn->parameters(), 5, absl::MakeSpan(weights));
    EXPECT_TRUE(rnn->SetWeights(weights).ok());
    trainer = *EventRnnTrainer::Create(rnn.get(), 2, 8);
  }
};

inline constexpr DropoutSpec kDropout = {
    .keep_prob = 0.7, .seed = 9, .step = 4};

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_MODELS_NETWORK_SMALL_NETWORK_H_
