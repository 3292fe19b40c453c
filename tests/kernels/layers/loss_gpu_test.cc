// SPDX-License-Identifier: Apache-2.0

// The loss on every device, against a double loop.

#include <algorithm>

#include "kernels/layers/loss.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class LossFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, LossFormTest, ::testing::ValuesIn(kFp32Forms),
                         FormName);

struct Result {
  std::vector<float> dlogits;
  double cross_entropy = 0;
  std::vector<int64_t> counts, class_labels, class_correct;
  std::vector<int32_t> predicted;
};

struct Problem {
  Problem(std::vector<int> head_sizes, int64_t num_events)
      : heads(std::move(head_sizes)), events(num_events) {
    for (int size : heads) {
      head_begin.push_back(head_begin.back() + size);
      default_label.push_back(size / 2);
    }
    logits = Random(events * classes(), 1, 8.0);
    for (int64_t e = 0; e < events; ++e) {
      for (int size : heads) {
        labels.push_back(e % 7 == 3 ? -1 : (e * e + e) % size);
      }
    }
  }
  int64_t classes() const { return head_begin.back(); }
  int64_t num_heads() const { return static_cast<int64_t>(heads.size()); }

  std::vector<int> heads;
  std::vector<int32_t> head_begin = {0};
  std::vector<int64_t> default_label;
  Floats logits;
  std::vector<int64_t> labels;
  int64_t events;
};

enum class Gradient { kNone, kApart, kInPlace };

// All sums start at 5.
Result Compute(const Stream& stream, const Problem& p, Gradient gradient) {
  DeviceArray<float> logits(stream, p.logits);
  DeviceArray<float> apart(stream, p.events * p.classes());
  DeviceArray<int64_t> labels(stream, p.labels);
  DeviceArray<int32_t> head_begin(stream, p.head_begin);
  DeviceArray<int64_t> default_label(stream, p.default_label);
  DeviceArray<float> scale(stream, std::vector<float>{0.25f});
  DeviceArray<double> total(stream, std::vector<double>{5});
  DeviceArray<int64_t> counts(stream, std::vector<int64_t>(4, 5));
  DeviceArray<int64_t> class_labels(stream,
                                    std::vector<int64_t>(p.classes(), 5));
  DeviceArray<int64_t> class_correct(stream,
                                     std::vector<int64_t>(p.classes(), 5));
  DeviceArray<int32_t> predicted(stream, p.events * p.num_heads());
  DeviceArray<double> chunks(stream, (p.events + kLossChunk - 1) / kLossChunk);
  DeviceArray<float>& dlogits = gradient == Gradient::kApart ? apart : logits;
  const Shape shape = {p.events, p.classes()};
  EXPECT_TRUE(SoftmaxLoss(stream, {.logits = logits.view(shape),
                                   .labels = labels.vector(),
                                   .head_begin = head_begin.vector(),
                                   .default_label = default_label.vector(),
                                   .dlogits = gradient == Gradient::kNone
                                                  ? TensorView()
                                                  : dlogits.view(shape),
                                   .scale = scale.vector(),
                                   .cross_entropy = total.vector(),
                                   .counts = counts.vector(),
                                   .class_labels = class_labels.vector(),
                                   .class_correct = class_correct.vector(),
                                   .predicted = predicted.vector(),
                                   .chunk_sums = chunks.vector()})
                  .ok());
  return {.dlogits = gradient == Gradient::kNone ? std::vector<float>()
                                                 : dlogits.Read(),
          .cross_entropy = total.Read()[0],
          .counts = counts.Read(),
          .class_labels = class_labels.Read(),
          .class_correct = class_correct.Read(),
          .predicted = predicted.Read()};
}

TEST_P(LossFormTest, MatchesDoubleLoop) {
  for (const std::vector<int>& heads :
       {std::vector<int>{1}, {31}, {38}, {130}, {388}, {13, 77, 33}}) {
    for (int64_t events : {0, 1, 33, 300}) {
      const Problem p(heads, events);
      double total = 5;
      std::vector<double> gradient(p.logits.size());
      std::vector<int64_t> counts(4, 5), labels(p.classes(), 5),
          correct(p.classes(), 5);
      std::vector<int32_t> predicted(p.labels.size(), -1);
      for (int64_t i = 0; i < events * p.num_heads(); ++i) {
        const int64_t label = p.labels[i];
        if (label < 0) continue;
        const int64_t h = i % p.num_heads();
        const int64_t at = i / p.num_heads() * p.classes() + p.head_begin[h];
        double sum = 0;
        for (int c = 0; c < heads[h]; ++c) sum += std::exp(p.logits[at + c]);
        total += std::log(sum) - p.logits[at + label];
        for (int c = 0; c < heads[h]; ++c) {
          gradient[at + c] =
              0.25 * (std::exp(p.logits[at + c]) / sum - (c == label));
        }
        const auto first = p.logits.begin() + at;
        const auto best = std::max_element(first, first + heads[h]) - first;
        predicted[i] = static_cast<int32_t>(best);
        counts[label == p.default_label[h] ? 2 : 0] += 1;
        counts[label == p.default_label[h] ? 3 : 1] += best == label;
        labels[p.head_begin[h] + label] += 1;
        correct[p.head_begin[h] + label] += best == label;
      }
      for (const Gradient kind :
           {Gradient::kApart, Gradient::kInPlace, Gradient::kNone}) {
        const Result got = Compute(stream(), p, kind);
        EXPECT_NEAR(got.cross_entropy, total, 1e-6 * total);
        for (size_t i = 0; i < got.dlogits.size(); ++i) {
          ASSERT_NEAR(got.dlogits[i], gradient[i], 3e-7);
        }
        EXPECT_EQ(got.counts, counts);
        EXPECT_EQ(got.class_labels, labels);
        EXPECT_EQ(got.class_correct, correct);
        EXPECT_EQ(got.predicted, predicted);
      }
    }
  }
}

TEST_P(LossFormTest, ArgmaxTiesGoToTheLowestClass) {
  Problem p({40}, 3);
  std::fill(p.logits.begin(), p.logits.end(), 0.0f);
  for (int c : {3, 35, 36}) p.logits[c] = 2;
  p.logits[40 + 39] = p.logits[40 + 1] = 1;
  const Result result = Compute(stream(), p, Gradient::kNone);
  EXPECT_EQ(result.predicted, (std::vector<int32_t>{3, 1, 0}));
}

TEST_P(LossFormTest, HugeLogitsDoNotOverflow) {
  Problem p({3}, 1);
  p.logits = {1e4f, 0, -1e4f};
  p.labels = {2};
  const Result result = Compute(stream(), p, Gradient::kApart);
  EXPECT_NEAR(result.cross_entropy, 5 + 2e4, 1e-2);
  EXPECT_EQ(result.dlogits, (std::vector<float>{0.25f, 0, -0.25f}));
}

TEST_P(LossFormTest, NotANumberReachesTheLoss) {
  for (int bad : {0, 7, 37}) {
    Problem p({38}, 3);
    p.logits[38 + bad] = std::nanf("");
    EXPECT_TRUE(
        std::isnan(Compute(stream(), p, Gradient::kApart).cross_entropy))
        << bad;
  }
}

}  // namespace
}  // namespace continuo
