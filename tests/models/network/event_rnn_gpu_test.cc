// SPDX-License-Identifier: Apache-2.0

// The network on a CUDA device against that on the CPU, whose arrays have the
// batch's own sizes: what recorded steps add to them changes nothing.

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "models/network/event_rnn.h"
#include "models/network/event_rnn_decoder.h"
#include "tests/models/network/small_network.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Form {
  std::string name;
  ComputeOptions options;
  double tolerance;  // of gradients, relative to their norm
};
void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }
const Form kForms[] = {
    {"Fp32", {.precision = Precision::kFp32}, 1e-5},
    {"Fp32Stepwise", {.form = RecurrentForm::kStepwise}, 1e-5},
    {"Tf32", {.precision = Precision::kTf32}, 1e-2},
    {"Bf16", {.precision = Precision::kBf16}, 6e-2}};

class EventRnnGpuTest : public ::testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
    owned_ = *OwnedStream::Open({.type = DeviceType::kCuda}, GetParam().options,
                                &pool_);
  }
  const Stream& stream() const { return owned_.stream(); }
  bool CanRecord(const NetworkSpec& spec) const {
    return GetParam().options.form != RecurrentForm::kStepwise &&
           spec.layer_sizes.back() % 2 == 0 && !spec.attention_around_stack &&
           spec.cell == Cell::kLstm;
  }
  bool exact() const {
    return GetParam().options.precision == Precision::kFp32;
  }

 private:
  ThreadPool pool_{2};
  OwnedStream owned_;
};
INSTANTIATE_TEST_SUITE_P(Forms, EventRnnGpuTest, ::testing::ValuesIn(kForms),
                         [](const auto& info) { return info.param.name; });

// Networks whose layers fit the persistent forms (numbers of units are even),
// so that their steps are recorded, and others whose steps are not.
std::vector<NetworkSpec> GpuSpecs() {
  return {Spec(0, false, {18, 12}),    Spec(5, false, {18, 12}),
          Spec(0, true, {18, 18, 12}), Spec(5, true, {18, 12, 12}),
          Spec(0, true, {18, 13}),     StackSpec(4, {18, 12}),
          GruSpec(true, {18, 12})};
}

// The length of a - b over that of b.
double Difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, whole = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double{a[i]} - b[i], 2);
    whole += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(difference / whole);
}

// Five sequences of up to nine events, `less` fewer where they have them:
// arrays of one shape on the device, which less events do not fill.
PackedBatch Batch(const NetworkSpec& spec, uint64_t seed, int less) {
  std::vector<EncodedSequence> examples;
  for (int i = 0; i < 5; ++i) {
    const int length = std::max(1, 1 + i * 5 % 9 - less);
    examples.push_back(Example(spec, 100 * seed + i, length));
  }
  return Pack(examples);
}

TEST_P(EventRnnGpuTest, GradientsAreThoseOfTheCpu) {
  for (const NetworkSpec& spec : GpuSpecs()) {
    Model cpu(spec, 2), gpu(spec, stream());
    const PackedBatch batches[] = {Batch(spec, 1, 0), Batch(spec, 2, 1),
                                   Batch(spec, 1, 0)};
    std::vector<std::vector<float>> gradients;
    DropoutSpec dropout = kDropout;
    for (const PackedBatch& batch : batches) {
      dropout.step = gradients.size() % 2;
      const std::vector<float> want = cpu.Gradient(batch, dropout);
      gradients.push_back(gpu.Gradient(batch, dropout));
      EXPECT_LT(Difference(gradients.back(), want), GetParam().tolerance);
      EXPECT_EQ(gpu.Logits(batch).size(), cpu.Logits(batch).size());
    }
    // The first batch ran by itself, the third was recorded: the same bits.
    EXPECT_EQ(gradients[0], gradients[2]);
    EXPECT_EQ(gpu.trainer->num_recordings(), CanRecord(spec) ? 2 : 0);
  }
}

// Steps that run one by one, each in the form for many; cuDNN, which has no
// part in them.
TEST_P(EventRnnGpuTest, AttentionAroundTheStackWithOtherOptions) {
  Stream persistent = stream(), cudnn = stream();
  persistent.options.form = RecurrentForm::kPersistent;
  cudnn.options.backend = RnnBackend::kCudnn;
  const NetworkSpec spec = StackSpec(4, {18, 12});
  Model cpu(spec, 2);
  const PackedBatch batch = Batch(spec, 1, 0);
  const std::vector<float> want = cpu.Gradient(batch, kDropout);
  for (const Stream& other : {persistent, cudnn}) {
    Model gpu(spec, other);
    EXPECT_LT(Difference(gpu.Gradient(batch, kDropout), want),
              GetParam().tolerance);
  }
}

TEST_P(EventRnnGpuTest, SumsAreThoseOfTheCpu) {
  for (const NetworkSpec& spec : GpuSpecs()) {
    Model cpu(spec, 2), gpu(spec, stream());
    LossSums want, got;
    for (const int less : {0, 1, 5}) {
      const PackedBatch batch = Batch(spec, less, less);
      ASSERT_TRUE(cpu.trainer->Evaluate(batch, kDropout, &want).ok());
      ASSERT_TRUE(gpu.trainer->Evaluate(batch, kDropout, &got).ok());
    }
    EXPECT_NEAR(got.cross_entropy / want.cross_entropy, 1,
                GetParam().tolerance);
    EXPECT_EQ(got.labels, want.labels);
    EXPECT_EQ(got.event_labels, want.event_labels);
    EXPECT_EQ(got.class_labels, want.class_labels);
    if (!exact()) continue;
    EXPECT_EQ(got.correct, want.correct);
    EXPECT_EQ(got.event_correct, want.event_correct);
    EXPECT_EQ(got.no_event_correct, want.no_event_correct);
    EXPECT_EQ(got.class_correct, want.class_correct);
  }
}

TEST_P(EventRnnGpuTest, TrainingIsThatOfTheCpu) {
  for (const NetworkSpec& spec :
       {GpuSpecs()[0], GpuSpecs()[3], GpuSpecs()[5]}) {
    // `halves` computes and applies gradients by two calls.
    Model cpu(spec, 2), gpu(spec, stream()), halves(spec, stream());
    AdamSpec adam = {.learning_rate = 0.01, .params = {.clip_norm = 0.2}};
    for (int step = 1; step <= 4; ++step) {
      const PackedBatch batch = Batch(spec, step % 2, step % 2);
      DropoutSpec dropout = kDropout;
      dropout.step = adam.step = step;
      LossSums want, got, both;
      double want_norm = 0, norm = 0, halves_norm = 0;
      ASSERT_TRUE(
          cpu.trainer->TrainStep(batch, dropout, adam, &want, &want_norm).ok());
      ASSERT_TRUE(
          gpu.trainer->TrainStep(batch, dropout, adam, &got, &norm).ok());
      ASSERT_TRUE(halves.trainer->ComputeGradients(batch, dropout, &both).ok());
      ASSERT_TRUE(halves.trainer->ApplyGradients(adam, &halves_norm).ok());
      EXPECT_EQ(got.cross_entropy, both.cross_entropy);
      EXPECT_EQ(norm, halves_norm);
      const double tolerance = (exact() ? 10 : 2) * GetParam().tolerance;
      EXPECT_NEAR(got.cross_entropy / want.cross_entropy, 1, tolerance) << step;
      EXPECT_NEAR(norm / want_norm, 1, 5 * tolerance) << step;
    }
    EXPECT_EQ(gpu.Weights(), halves.Weights());
    EXPECT_LT(Difference(gpu.Weights(), cpu.Weights()), exact() ? 1e-4 : 3e-2);
    // What was trained is what is evaluated.
    const PackedBatch batch = Batch(spec, 1, 0);
    EXPECT_LT(Difference(gpu.Logits(batch), cpu.Logits(batch)),
              exact() ? 1e-3 : 0.2);
  }
}

TEST_P(EventRnnGpuTest, SlotsAndWeightsRoundTrip) {
  Model model(GpuSpecs()[1], stream());
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
  EXPECT_EQ(model.Weights(), model.weights);
}

// Steps, orders and states of decoders on both devices side by side.
void CompareDecoders(const NetworkSpec& spec, const Stream& stream,
                     double tolerance) {
  std::unique_ptr<EventRnn> networks[2];
  for (const bool on_gpu : {false, true}) {
    std::unique_ptr<EventRnn>& rnn = networks[on_gpu];
    rnn = *EventRnn::Create(spec, on_gpu ? stream : HostStream(stream));
    std::vector<float> weights(rnn->flat_size());
    InitializeParameters(rnn->parameters(), 5, absl::MakeSpan(weights));
    ASSERT_TRUE(rnn->SetWeights(weights).ok());
  }
  auto want = *EventRnnDecoder::Create(networks[0].get(), 6);
  auto got = *EventRnnDecoder::Create(networks[1].get(), 6);
  const std::vector<std::vector<int32_t>> orders = {
      {3, 3, 0, 3, 1, 1}, {0, 1, 2, 3}, {2, 0}, {1, 0, 0, 1, 1, 0}, {5}};
  uint64_t seed = 0;
  // The second round finds the rests of the first.
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(want->Reset(4).ok());
    ASSERT_TRUE(got->Reset(4).ok());
    for (const std::vector<int32_t>& order : orders) {
      for (int t = 0; t < 1 + round; ++t) {
        SparseRows inputs;
        inputs.width = spec.input_size;
        for (int row = 0; row < want->num_rows(); ++row) {
          inputs.AppendRow(Example(spec, ++seed, 1).inputs, 0);
        }
        std::vector<float> a(want->num_rows() * spec.num_classes()), b(a);
        ASSERT_TRUE(want->Step(inputs, absl::MakeSpan(a)).ok());
        const absl::Status status = got->Step(inputs, absl::MakeSpan(b));
        ASSERT_TRUE(status.ok()) << status;
        EXPECT_LT(Difference(b, a), tolerance);
      }
      ASSERT_TRUE(want->Reorder(order).ok());
      ASSERT_TRUE(got->Reorder(order).ok());
    }
    const auto a = *want->GetState(0), b = *got->GetState(0);
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_LT(Difference(b[i], a[i]), 2 * tolerance);
    }
  }
}

TEST_P(EventRnnGpuTest, DecodersStepAndReorderAsOnTheCpu) {
  for (const NetworkSpec& spec : GpuSpecs()) {
    CompareDecoders(spec, stream(), GetParam().tolerance);
  }
}

}  // namespace
}  // namespace continuo
