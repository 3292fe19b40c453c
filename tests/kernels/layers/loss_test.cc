// SPDX-License-Identifier: Apache-2.0

#include "kernels/layers/loss.h"

#include <algorithm>

#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Result {
  Floats dlogits;
  double cross_entropy = 0;
  std::vector<int64_t> counts = std::vector<int64_t>(4);
  std::vector<int64_t> class_labels;
  std::vector<int64_t> class_correct;
};

struct Problem {
  std::vector<int> heads;
  std::vector<int32_t> head_begin = {0};
  std::vector<int64_t> default_label;
  Floats logits;
  std::vector<int64_t> labels;
  int64_t events;
  int64_t classes() const { return head_begin.back(); }

  Problem(std::vector<int> head_sizes, int64_t num_events)
      : heads(std::move(head_sizes)), events(num_events) {
    for (int size : heads) {
      head_begin.push_back(head_begin.back() + size);
      default_label.push_back(size / 2);
    }
    logits = Random(events * classes(), 1, 8.0);
    for (int64_t e = 0; e < events; ++e) {
      for (int size : heads) labels.push_back((e * e + e) % size);
    }
  }
};

Result Compute(int threads, const Problem& p, bool gradient) {
  Threads pool(threads);
  const float scale = 0.25f;
  Result result;
  result.dlogits.assign(p.logits.size(), -7.0f);
  result.class_labels.resize(p.classes());
  result.class_correct.resize(p.classes());
  std::vector<int32_t> predicted(p.labels.size());
  std::vector<double> chunks((p.events + kLossChunk - 1) / kLossChunk);
  EXPECT_TRUE(
      SoftmaxLoss(
          pool.stream(),
          {.logits = TensorView(p.logits.data(), {p.events, p.classes()}),
           .labels = Vector(p.labels),
           .head_begin = Vector(p.head_begin),
           .default_label = Vector(p.default_label),
           .dlogits = gradient ? TensorView(result.dlogits.data(),
                                            {p.events, p.classes()})
                               : TensorView(),
           .scale = Scalar(scale),
           .cross_entropy = TensorView(&result.cross_entropy, {1}),
           .counts = Vector(result.counts),
           .class_labels = Vector(result.class_labels),
           .class_correct = Vector(result.class_correct),
           .predicted = Vector(predicted),
           .chunk_sums = Vector(chunks)})
          .ok());
  return result;
}

TEST(SoftmaxLossTest, MatchesDoubleLoopOnEveryTarget) {
  for (const std::vector<int>& heads :
       {std::vector<int>{1}, {31}, {38}, {130}, {13, 77, 33}}) {
    for (int64_t events : {0, 1, 33, 600}) {
      const Problem p(heads, events);
      double want = 0;
      std::vector<double> gradient(p.logits.size());
      std::vector<int64_t> counts(4), labels(p.classes()), correct(p.classes());
      for (int64_t e = 0; e < events; ++e) {
        for (size_t h = 0; h < heads.size(); ++h) {
          const int64_t at = e * p.classes() + p.head_begin[h];
          const int64_t label = p.labels[e * heads.size() + h];
          double sum = 0;
          for (int c = 0; c < heads[h]; ++c) sum += std::exp(p.logits[at + c]);
          want += std::log(sum) - p.logits[at + label];
          for (int c = 0; c < heads[h]; ++c) {
            gradient[at + c] =
                0.25 * (std::exp(p.logits[at + c]) / sum - (c == label));
          }
          const auto first = p.logits.begin() + at;
          const bool right =
              std::max_element(first, first + heads[h]) - first == label;
          counts[label == p.default_label[h] ? 2 : 0] += 1;
          counts[label == p.default_label[h] ? 3 : 1] += right;
          labels[p.head_begin[h] + label] += 1;
          correct[p.head_begin[h] + label] += right;
        }
      }
      ForEachTarget([&] {
        const Result result = Compute(2, p, true);
        EXPECT_NEAR(result.cross_entropy, want, 1e-6 * (1 + want));
        for (size_t i = 0; i < gradient.size(); ++i) {
          ASSERT_NEAR(result.dlogits[i], gradient[i], 2e-7);
        }
        EXPECT_EQ(result.counts, counts);
        EXPECT_EQ(result.class_labels, labels);
        EXPECT_EQ(result.class_correct, correct);
      });
    }
  }
}

TEST(SoftmaxLossTest, SameBitsWithoutGradientAndOnAnyThreads) {
  const Problem p({38}, 1000);
  ForEachTarget([&] {
    const Result one = Compute(1, p, true);
    const Result three = Compute(3, p, true);
    EXPECT_EQ(one.dlogits, three.dlogits);
    EXPECT_EQ(one.cross_entropy, three.cross_entropy);
    EXPECT_EQ(one.cross_entropy, Compute(3, p, false).cross_entropy);
  });
}

TEST(SoftmaxLossTest, ArgmaxTiesGoToTheLowestClass) {
  Problem p({5}, 2);
  p.logits = {1, 3, 3, 0, 3, /**/ 2, 2, 2, 2, 2};
  p.labels = {1, 1};
  const Result result = Compute(1, p, false);
  EXPECT_EQ(result.class_correct[1], 1);
}

TEST(SoftmaxLossTest, HugeLogitsDoNotOverflow) {
  Problem p({3}, 1);
  p.logits = {1e4f, 0, -1e4f};
  p.labels = {2};
  EXPECT_NEAR(Compute(1, p, false).cross_entropy, 2e4, 1e-2);
}

TEST(SoftmaxLossTest, NotANumberReachesTheLoss) {
  for (int bad : {0, 7, 37}) {
    Problem p({38}, 3);
    p.logits[38 + bad] = std::nanf("");
    ForEachTarget([&] {
      EXPECT_TRUE(std::isnan(Compute(1, p, true).cross_entropy)) << bad;
    });
  }
}

}  // namespace
}  // namespace continuo
