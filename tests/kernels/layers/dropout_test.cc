// SPDX-License-Identifier: Apache-2.0

#include "kernels/layers/dropout.h"

#include <algorithm>
#include <numeric>

#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Case {
  int n = 128;
  double keep_prob = 0.5;
  uint64_t seed = 3;
  uint64_t step = 11;
  int layer = 0;
};

Floats Drop(int threads, const Case& c, const TestRaggedLayout& ragged,
            const std::vector<int32_t>& source, const Floats& x) {
  Threads pool(threads);
  Floats out(x.size(), -7.0f);
  EXPECT_TRUE(Dropout(pool.stream(), {.ragged = ragged.view(),
                                      .source = Vector(source),
                                      .x = Matrix(x, c.n),
                                      .out = Matrix(out, c.n),
                                      .keep_prob = c.keep_prob,
                                      .seed = c.seed,
                                      .step = Scalar(c.step),
                                      .layer = c.layer})
                  .ok());
  return out;
}

Floats Mask(int threads, const Case& c, const TestRaggedLayout& ragged,
            const std::vector<int32_t>& source) {
  return Drop(threads, c, ragged, source, Floats(ragged.events() * c.n, 1.0f));
}

// The mask by its definition: one 32-bit number per unit.
TEST(DropoutTest, MaskIsTheDocumentedFunctionOnEveryTarget) {
  const TestRaggedLayout ragged({9, 5, 5, 1});
  const std::vector<int32_t> source = {2, 0, 3, 1};
  for (int n : kOddSizes) {
    for (double keep_prob : {0.25, 0.5, 0.9, 1.0}) {
      const Case c = {.n = n,
                      .keep_prob = keep_prob,
                      .seed = 0x123456789abcdefull,
                      .step = 5'000'000'000ull,
                      .layer = 2};
      const Floats x = Random(ragged.events() * n, 1);
      ForEachTarget([&] {
        const Floats out = Drop(1, c, ragged, source, x);
        for (int t = 0; t < ragged.steps(); ++t) {
          for (int row = 0; row < ragged.batch_sizes[t]; ++row) {
            for (int k = 0; k < n; ++k) {
              const uint64_t index =
                  uint64_t{2} << 56 | static_cast<uint64_t>(source[row]) << 36 |
                  static_cast<uint64_t>(t) << 12 | static_cast<uint64_t>(k / 4);
              const uint32_t number =
                  RandomBlock(c.seed, RandomPurpose::kDropout, c.step, index)
                      .v[k % 4];
              const bool keep = number < keep_prob * 4294967296.0;
              const int64_t at = ragged.event(t, row) * n + k;
              const float scale = static_cast<float>(1 / keep_prob);
              ASSERT_EQ(out[at], keep ? x[at] * scale : 0.0f);
            }
          }
        }
      });
    }
  }
}

TEST(DropoutTest, KeepsTheGivenShare) {
  const TestRaggedLayout ragged(std::vector<int>(64, 100));
  std::vector<int32_t> source(64);
  std::iota(source.begin(), source.end(), 0);
  for (double keep_prob : {0.1, 0.5, 0.8}) {
    const Floats mask = Mask(2, {.keep_prob = keep_prob}, ragged, source);
    const double kept = static_cast<double>(
        std::count_if(mask.begin(), mask.end(), [](float v) { return v > 0; }));
    const double count = static_cast<double>(mask.size());
    const double sigma = std::sqrt(count * keep_prob * (1 - keep_prob));
    EXPECT_NEAR(kept, count * keep_prob, 5 * sigma);
  }
}

TEST(DropoutTest, SeedStepAndLayerChangeTheMask) {
  const TestRaggedLayout ragged({20, 20});
  const std::vector<int32_t> source = {0, 1};
  const Floats mask = Mask(1, {}, ragged, source);
  EXPECT_EQ(mask, Mask(3, {}, ragged, source));
  EXPECT_NE(mask, Mask(1, {.seed = 4}, ragged, source));
  EXPECT_NE(mask, Mask(1, {.step = 12}, ragged, source));
  EXPECT_NE(mask, Mask(1, {.layer = 1}, ragged, source));
}

TEST(DropoutTest, RowKeepsItsMaskInAnyBatch) {
  const TestRaggedLayout together({8, 6, 3});
  const TestRaggedLayout alone({6});
  const Floats all = Mask(1, {}, together, {5, 9, 2});
  const Floats one = Mask(1, {}, alone, {9});
  for (int t = 0; t < 6; ++t) {
    const auto from = all.begin() + together.event(t, 1) * 128;
    EXPECT_TRUE(std::equal(from, from + 128, one.begin() + t * 128)) << t;
  }
}

TEST(DropoutTest, MayWorkInPlace) {
  const TestRaggedLayout ragged({4, 2});
  const std::vector<int32_t> source = {0, 1};
  Floats x = Random(6 * 128, 1);
  const Floats want = Drop(1, {}, ragged, source, x);
  Threads pool(1);
  const uint64_t step = 11;
  ASSERT_TRUE(Dropout(pool.stream(), {.ragged = ragged.view(),
                                      .source = Vector(source),
                                      .x = Matrix(x, 128),
                                      .out = Matrix(x, 128),
                                      .keep_prob = 0.5,
                                      .seed = 3,
                                      .step = Scalar(step),
                                      .layer = 0})
                  .ok());
  EXPECT_EQ(x, want);
}

}  // namespace
}  // namespace continuo
