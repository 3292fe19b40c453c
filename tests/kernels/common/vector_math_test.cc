// SPDX-License-Identifier: Apache-2.0

// The elementwise functions on every instruction set, against double.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/gemm/packing.h"
#include "tests/kernels/common/kernel_testing.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/kernels/common/vector_math_test.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/common/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

void ExpAll(const float* x, int64_t n, float* y) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(VectorExp(d, hn::LoadU(d, x + i)), d, y + i);
  });
}
void SigmoidAll(const float* x, int64_t n, float* y) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(VectorSigmoid(d, hn::LoadU(d, x + i)), d, y + i);
  });
}
void TanhAll(const float* x, int64_t n, float* y) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(VectorTanh(d, hn::LoadU(d, x + i)), d, y + i);
  });
}
float SumFirst(const float* x) {
  const hn::ScalableTag<float> d;
  return AddLanes(d, hn::LoadU(d, x));
}
int64_t FloatLanes() { return hn::Lanes(hn::ScalableTag<float>()); }
int64_t Target() { return HWY_TARGET; }

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {

HWY_EXPORT(ExpAll);
HWY_EXPORT(SigmoidAll);
HWY_EXPORT(TanhAll);
HWY_EXPORT(SumFirst);
HWY_EXPORT(FloatLanes);
HWY_EXPORT(Target);

using ::continuo::testing::ForEachTarget;

std::vector<float> Arguments(float from, float to) {
  std::vector<float> x;
  const int count = 200003;  // odd: the rest of a vector is tested too
  for (int i = 0; i < count; ++i) {
    x.push_back(from + (to - from) * static_cast<float>(i) / (count - 1));
  }
  return x;
}

TEST(VectorMathTest, TargetsAreSelected) {
  int64_t seen = 0;
  ForEachTarget([&] {
    const int64_t target = HWY_DYNAMIC_DISPATCH(Target)();
    EXPECT_EQ(seen & target, 0);
    seen |= target;
  });
  EXPECT_NE(seen, 0);
}

TEST(VectorMathTest, ExpIsExactToFloat) {
  const std::vector<float> x = Arguments(-120.0f, 20.0f);
  std::vector<float> y(x.size());
  ForEachTarget([&] {
    HWY_DYNAMIC_DISPATCH(ExpAll)(x.data(), x.size(), y.data());
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double want = std::exp(static_cast<double>(x[i]));
      // The error of the rounded argument grows with it.
      const double scale = want * (1 + std::abs(x[i]));
      // Results end at 2^-126.
      const double error = std::abs(y[i] - std::max(want, 1.17549435e-38));
      worst = std::max(worst, error / std::max(scale, 1.17549435e-38));
    }
    EXPECT_LT(worst, 2.5e-7);
  });
}

TEST(VectorMathTest, SigmoidAndTanhAreExactToFloat) {
  for (float range : {0.01f, 1.0f, 12.0f, 100.0f}) {
    const std::vector<float> x = Arguments(-range, range);
    std::vector<float> y(x.size());
    ForEachTarget([&] {
      double worst = 0;
      HWY_DYNAMIC_DISPATCH(SigmoidAll)(x.data(), x.size(), y.data());
      for (size_t i = 0; i < x.size(); ++i) {
        worst =
            std::max(worst, std::abs(y[i] - 1 / (1 + std::exp(-double{x[i]}))));
        ASSERT_TRUE(y[i] >= 0 && y[i] <= 1) << x[i];
      }
      EXPECT_LT(worst, 1.5e-7);
      worst = 0;
      HWY_DYNAMIC_DISPATCH(TanhAll)(x.data(), x.size(), y.data());
      for (size_t i = 0; i < x.size(); ++i) {
        worst = std::max(worst, std::abs(y[i] - std::tanh(double{x[i]})));
        ASSERT_TRUE(y[i] >= -1 && y[i] <= 1) << x[i];
      }
      EXPECT_LT(worst, 2.5e-7);
    });
  }
}

// Upper half to lower half, whatever the library's own sum does: results are
// the same with every release of it.
TEST(VectorMathTest, LanesAreAddedByHalves) {
  std::vector<float> x(64);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = (i % 2 == 0 ? 1e7f : 1.0f) / static_cast<float>(i + 3);
  }
  ForEachTarget([&] {
    const int64_t lanes = HWY_DYNAMIC_DISPATCH(FloatLanes)();
    ASSERT_LE(lanes, 64);
    std::vector<float> want(x.begin(), x.begin() + lanes);
    for (int64_t half = lanes / 2; half > 0; half /= 2) {
      for (int64_t i = 0; i < half; ++i) want[i] += want[i + half];
    }
    EXPECT_EQ(HWY_DYNAMIC_DISPATCH(SumFirst)(x.data()), want[0]);
  });
}

TEST(VectorMathTest, SpecialArguments) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {0.0f, -0.0f, infinity, -infinity, nan, 1e30f};
  ForEachTarget([&] {
    std::vector<float> y(x.size());
    HWY_DYNAMIC_DISPATCH(TanhAll)(x.data(), x.size(), y.data());
    EXPECT_EQ(y[0], 0.0f);
    EXPECT_EQ(y[1], 0.0f);
    EXPECT_EQ(y[2], 1.0f);
    EXPECT_EQ(y[3], -1.0f);
    EXPECT_TRUE(std::isnan(y[4]));
    EXPECT_EQ(y[5], 1.0f);
    HWY_DYNAMIC_DISPATCH(SigmoidAll)(x.data(), x.size(), y.data());
    EXPECT_EQ(y[0], 0.5f);
    EXPECT_EQ(y[2], 1.0f);
    EXPECT_LT(y[3], 1e-37f);
    EXPECT_TRUE(std::isnan(y[4]));
  });
}

}  // namespace
}  // namespace continuo::cpu
#endif  // HWY_ONCE
