// SPDX-License-Identifier: Apache-2.0

// Properties of the network that need no reference: bits that do not depend on
// threads or batching, gradients under dropout, decoding, errors.

#include "models/network/event_rnn.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/network/event_rnn_decoder.h"
#include "tests/models/network/small_network.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::HasSubstr;

TEST(EventRnnTest, SameBitsOnAnyThreads) {
  for (const NetworkSpec& spec : Specs()) {
    const PackedBatch batch = Pack(Examples(spec));
    Model one(spec, 1);
    Model three(spec, 3);
    EXPECT_EQ(one.Gradient(batch, kDropout), three.Gradient(batch, kDropout));
    for (Model* model : {&one, &three}) {
      double norm = 0;
      ASSERT_TRUE(
          model->trainer->ApplyGradients({.params = {.clip_norm = 1}}, &norm)
              .ok());
      ASSERT_TRUE(model->rnn->GetWeights(absl::MakeSpan(model->weights)).ok());
    }
    EXPECT_EQ(one.weights, three.weights);
    EXPECT_EQ(one.Logits(batch), three.Logits(batch));
  }
}

TEST(EventRnnTest, LogitsDoNotDependOnTheBatch) {
  for (const NetworkSpec& spec : Specs()) {
    const std::vector<EncodedSequence> examples = Examples(spec);
    const PackedBatch together = Pack(examples);
    Model model(spec, 2);
    const std::vector<float> all = model.Logits(together);
    const int classes = spec.num_classes();
    for (int row = 0; row < together.num_rows(); ++row) {
      const std::vector<float> alone =
          model.Logits(Pack({examples[together.source[row]]}));
      for (int t = 0; t < together.lengths[row]; ++t) {
        const auto from =
            all.begin() + (together.step_begin[t] + row) * classes;
        ASSERT_TRUE(
            std::equal(from, from + classes, alone.begin() + t * classes));
      }
    }
  }
}

TEST(EventRnnTest, DecodingHasTheBitsOfTraining) {
  for (const NetworkSpec& spec : Specs()) {
    Model model(spec, 2);
    const int rows = 14, steps = 12, classes = spec.num_classes();
    std::vector<EncodedSequence> examples;
    for (int r = 0; r < rows; ++r) {
      examples.push_back(Example(spec, 50 + r, steps));
    }
    const std::vector<float> want = model.Logits(Pack(examples));
    auto decoder = *EventRnnDecoder::Create(model.rnn.get(), rows + 3);
    // The second round finds the rests of the first.
    for (int round = 0; round < 2; ++round) {
      ASSERT_TRUE(decoder->Reset(rows).ok());
      for (int t = 0; t < steps; ++t) {
        SparseRows inputs;
        inputs.width = spec.input_size;
        for (const EncodedSequence& e : examples) inputs.AppendRow(e.inputs, t);
        std::vector<float> logits(rows * classes);
        ASSERT_TRUE(decoder->Step(inputs, absl::MakeSpan(logits)).ok());
        ASSERT_TRUE(std::equal(logits.begin(), logits.end(),
                               want.begin() + t * rows * classes))
            << t;
      }
    }
  }
}

TEST(EventRnnTest, ReorderedRowsContinueAsTheirSource) {
  for (const NetworkSpec& spec : Specs()) {
    Model model(spec, 2);
    const int classes = spec.num_classes();
    // What row r of the decoder has seen, followed through every reordering.
    std::vector<SparseRows> seen(4);
    auto decoder = *EventRnnDecoder::Create(model.rnn.get(), 6);
    ASSERT_TRUE(decoder->Reset(4).ok());
    const std::vector<std::vector<int32_t>> orders = {
        {3, 3, 0, 3, 1, 1}, {5, 0}, {1, 0, 0, 1, 1, 0}, {2, 1, 5, 4}, {}, {}};
    uint64_t seed = 0;
    for (const std::vector<int32_t>& order : orders) {
      for (int t = 0; t < 3; ++t) {
        SparseRows inputs;
        inputs.width = spec.input_size;
        for (SparseRows& history : seen) {
          const EncodedSequence step = Example(spec, ++seed, 1);
          history.width = spec.input_size;
          history.AppendRow(step.inputs, 0);
          inputs.AppendRow(step.inputs, 0);
        }
        std::vector<float> logits(seen.size() * classes);
        ASSERT_TRUE(decoder->Step(inputs, absl::MakeSpan(logits)).ok());
        for (size_t r = 0; r < seen.size(); ++r) {
          EncodedSequence alone;
          alone.inputs = seen[r];
          alone.labels.assign(seen[r].rows() * 2, 0);
          const std::vector<float> want = model.Logits(Pack({alone}));
          ASSERT_TRUE(std::equal(want.end() - classes, want.end(),
                                 logits.begin() + r * classes));
        }
      }
      if (order.empty()) break;
      ASSERT_TRUE(decoder->Reorder(order).ok());
      ASSERT_EQ(decoder->num_rows(), static_cast<int>(order.size()));
      std::vector<SparseRows> next;
      for (int32_t source : order) next.push_back(seen[source]);
      seen = std::move(next);
    }
    ASSERT_TRUE(decoder->Reorder({}).ok());
    EXPECT_EQ(decoder->num_rows(), 0);
  }
}

// With dropout the loss is still a function of the weights: its slope is the
// gradient, also through the masks of every layer.
TEST(EventRnnTest, GradientUnderDropoutMatchesFiniteDifference) {
  for (const NetworkSpec& spec : Specs()) {
    const PackedBatch batch = Pack(Examples(spec));
    Model model(spec, 2);
    const std::vector<float> gradient = model.Gradient(batch, kDropout);
    double squares = 0;
    for (float g : gradient) squares += double{g} * g;
    const double norm = std::sqrt(squares);
    ASSERT_GT(norm, 0.01);
    // Along the gradient the loss changes fastest: least rounding error.
    constexpr double kStep = 0.02;
    const auto loss = [&](double step) {
      std::vector<float> moved = model.weights;
      for (size_t i = 0; i < moved.size(); ++i) {
        moved[i] += static_cast<float>(step * gradient[i] / norm);
      }
      EXPECT_TRUE(model.rnn->SetWeights(moved).ok());
      LossSums sums;
      EXPECT_TRUE(model.trainer->Evaluate(batch, kDropout, &sums).ok());
      return sums.cross_entropy / static_cast<double>(sums.labels);
    };
    const double slope = (loss(kStep) - loss(-kStep)) / (2 * kStep);
    EXPECT_NEAR(slope / norm, 1, 2e-3);
  }
}

TEST(EventRnnTest, TrainingLowersTheLoss) {
  for (const NetworkSpec& spec : Specs()) {
    const PackedBatch batch = Pack(Examples(spec));
    Model model(spec, 2);
    double first = 0, last = 0;
    for (int step = 1; step <= 60; ++step) {
      LossSums sums;
      ASSERT_TRUE(model.trainer->ComputeGradients(batch, {}, &sums).ok());
      double norm = 0;
      ASSERT_TRUE(model.trainer
                      ->ApplyGradients({.learning_rate = 0.01,
                                        .params = {.clip_norm = 3},
                                        .step = step},
                                       &norm)
                      .ok());
      last = sums.cross_entropy / static_cast<double>(sums.labels);
      if (step == 1) first = last;
    }
    EXPECT_LT(last, 0.8 * first);
  }
}

TEST(EventRnnTest, SlotsAndWeightsRoundTrip) {
  Model model(Specs()[1], 2);
  std::vector<float> m(model.rnn->flat_size()), v(m), m2(m), v2(m);
  for (size_t i = 0; i < m.size(); ++i) {
    m[i] = static_cast<float>(i);
    v[i] = static_cast<float>(2 * i);
  }
  ASSERT_TRUE(model.trainer->SetSlots(m, v).ok());
  ASSERT_TRUE(
      model.trainer->GetSlots(absl::MakeSpan(m2), absl::MakeSpan(v2)).ok());
  EXPECT_EQ(m, m2);
  EXPECT_EQ(v, v2);
  m.pop_back();
  EXPECT_THAT(model.trainer->SetSlots(m, v).message(), HasSubstr("slots"));
  EXPECT_THAT(model.rnn->SetWeights(m).message(), HasSubstr("weights"));
}

TEST(EventRnnTest, MemoryPlanNamesWhatGrows) {
  Model model(Specs()[1], 2);
  const auto total = [&] {
    int64_t bytes = 0;
    for (const MemoryPlanLine& line : model.trainer->memory_plan()) {
      EXPECT_GT(line.bytes, 0) << line.what;
      bytes += line.bytes;
    }
    return bytes;
  };
  const int64_t planned = total();
  const std::vector<float> before = model.Logits(Pack(Examples(Specs()[1])));
  EXPECT_GT(total(), planned);
  EXPECT_EQ(before, model.Logits(Pack(Examples(Specs()[1]))));
}

TEST(EventRnnTest, MemoryPlanHasOneLineAName) {
  for (const NetworkSpec& spec : Specs()) {
    Model model(spec, 2);
    std::set<std::string> names;
    for (const MemoryPlanLine& line : model.trainer->memory_plan()) {
      EXPECT_TRUE(names.insert(line.what).second) << line.what;
    }
  }
}

TEST(EventRnnTest, CellsWithoutAttentionRefuseIt) {
  NetworkSpec spec = GruSpec(false, {18, 13});
  spec.attn_length = 5;
  for (const bool around_stack : {false, true}) {
    spec.attention_around_stack = around_stack;
    const auto rnn = EventRnn::Create(spec, Stream());
    EXPECT_THAT(rnn.status().message(), HasSubstr("cell=gru"));
    EXPECT_THAT(rnn.status().message(), HasSubstr("attn_length=0"));
  }
}

TEST(EventRnnTest, ErrorsNameTheRemedy) {
  const NetworkSpec spec = Specs()[0];
  Model model(spec, 1);
  LossSums sums;
  std::vector<EncodedSequence> examples = Examples(spec);
  PackedBatch batch = Pack(examples);
  batch.inputs.width = 22;
  EXPECT_THAT(model.trainer->Evaluate(batch, {}, &sums).message(),
              HasSubstr("22 inputs but the model has 21"));
  batch = Pack(examples);
  batch.heads = 1;
  EXPECT_THAT(model.trainer->Evaluate(batch, {}, &sums).message(),
              HasSubstr("configuration"));
  batch = Pack(examples);
  batch.labels[3] = 6;
  EXPECT_THAT(model.trainer->Evaluate(batch, {}, &sums).message(),
              HasSubstr("label 6"));
  EXPECT_THAT(model.trainer->Evaluate(PackedBatch(), {}, &sums).message(),
              HasSubstr("no sequences"));

  ThreadPool pool(1);
  const Stream stream{Device(), &pool};
  NetworkSpec bad = spec;
  bad.layer_sizes = {};
  EXPECT_FALSE(EventRnn::Create(bad, stream).ok());
  bad.layer_sizes = {8, 0};
  EXPECT_THAT(EventRnn::Create(bad, stream).status().message(),
              HasSubstr("rnn_layer_sizes"));
  bad.layer_sizes = {20000};
  EXPECT_THAT(EventRnn::Create(bad, stream).status().message(),
              HasSubstr("rnn_layer_sizes"));
}

}  // namespace
}  // namespace continuo
