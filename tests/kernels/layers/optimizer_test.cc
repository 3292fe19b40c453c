// SPDX-License-Identifier: Apache-2.0

#include "kernels/layers/optimizer.h"

#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Buffers {
  Floats weights, m, v;
  std::vector<double> squared_norms;
};

Buffers Apply(int threads, const std::vector<int64_t>& begin,
              const Floats& gradient, double clip_norm) {
  Threads pool(threads);
  const float rate = 0.01f;
  const int64_t size = begin.back();
  Buffers b = {Random(size, 1), Random(size, 2), Random(size, 3), {}};
  for (float& v : b.v) v = std::abs(v);
  b.squared_norms.resize(begin.size() - 1);
  EXPECT_TRUE(
      ClipAdam(pool.stream(), {.tensor_begin = Vector(begin),
                               .gradient = Vector(gradient),
                               .weights = Vector(b.weights),
                               .m = Vector(b.m),
                               .v = Vector(b.v),
                               .adam = {.clip_norm = clip_norm},
                               .rate = Scalar(rate),
                               .squared_norms = Vector(b.squared_norms)})
          .ok());
  return b;
}

TEST(ClipAdamTest, MatchesDoubleLoop) {
  const std::vector<int64_t> begin = {0, 16, 48, 64, 1264};
  const Floats gradient = Random(begin.back(), 7, 2.0);
  for (double clip_norm : {0.0, -1.0, 5.0, 1e6}) {
    const Buffers b = Apply(2, begin, gradient, clip_norm);
    const Floats w = Random(begin.back(), 1), m = Random(begin.back(), 2),
                 v = Random(begin.back(), 3);
    int clipped = 0;
    for (size_t t = 0; t + 1 < begin.size(); ++t) {
      double squares = 0;
      for (int64_t i = begin[t]; i < begin[t + 1]; ++i) {
        squares += std::pow(gradient[i], 2);
      }
      EXPECT_NEAR(b.squared_norms[t], squares, 1e-9 * squares);
      const bool clip = clip_norm > 0 && std::sqrt(squares) > clip_norm;
      clipped += clip;
      const double scale = clip ? clip_norm / std::sqrt(squares) : 1.0;
      for (int64_t i = begin[t]; i < begin[t + 1]; ++i) {
        const double g = gradient[i] * scale;
        const double new_m = 0.9 * m[i] + 0.1 * g;
        const double new_v = 0.999 * std::abs(v[i]) + 0.001 * g * g;
        EXPECT_NEAR(b.m[i], new_m, 1e-6);
        EXPECT_NEAR(b.v[i], new_v, 1e-6);
        EXPECT_NEAR(b.weights[i],
                    w[i] - 0.01 * new_m / (std::sqrt(new_v) + 1e-8), 1e-6);
      }
    }
    EXPECT_EQ(clipped, clip_norm == 5.0 ? 2 : 0);
  }
}

TEST(ClipAdamTest, SameBitsOnAnyThreads) {
  const std::vector<int64_t> begin = {0, 16, 5000, 9008};
  const Floats gradient = Random(begin.back(), 7);
  const Buffers one = Apply(1, begin, gradient, 1.0);
  const Buffers three = Apply(3, begin, gradient, 1.0);
  EXPECT_EQ(one.weights, three.weights);
  EXPECT_EQ(one.squared_norms, three.squared_norms);
}

}  // namespace
}  // namespace continuo
