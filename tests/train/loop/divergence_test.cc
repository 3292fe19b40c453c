// SPDX-License-Identifier: Apache-2.0

#include "train/loop/divergence.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace continuo {
namespace {

// The step after which losses of `loss(step)` count as diverged; 0 = never.
template <typename Loss>
int64_t Verdict(double limit, int64_t steps, Loss loss) {
  float evidence = 0;
  for (int64_t step = 1; step <= steps; ++step) {
    evidence = AddEvidence(evidence, loss(step), limit);
    if (HasDiverged(evidence, step)) return step;
  }
  return 0;
}

TEST(DivergenceTest, TheLimitIsFourTimesTheUnigramLoss) {
  EXPECT_DOUBLE_EQ(DivergedLoss(2.0, {38}), 8.0);
  EXPECT_DOUBLE_EQ(DivergedLoss(2.0, {38, 38}), 8.0);
}

TEST(DivergenceTest, WhereLabelsHardlyDifferNewWeightsAreNoDivergence) {
  EXPECT_GT(DivergedLoss(0.01, {38}), std::log(38.0));
  EXPECT_GT(DivergedLoss(0, {38, 2}), (std::log(38.0) + std::log(2.0)) / 2);
}

TEST(DivergenceTest, ALossThatStaysHighIsToldAfterTheFirstHundredSteps) {
  const auto high = [](int64_t) { return 2.7e20; };
  EXPECT_EQ(Verdict(8, 500, high), 101);
  const auto later = [](int64_t step) { return step < 300 ? 1.5 : 1e6; };
  EXPECT_EQ(Verdict(8, 500, later), 319);
  const auto slightly = [](int64_t step) { return step < 300 ? 1.5 : 10.0; };
  EXPECT_EQ(Verdict(8, 500, slightly), 379);
  const auto none = [](int64_t) {
    return std::numeric_limits<double>::infinity();
  };
  EXPECT_EQ(Verdict(8, 500, none), 101);
}

TEST(DivergenceTest, NoiseIsNoDivergence) {
  const auto start = [](int64_t step) { return step < 95 ? 100.0 : 3.0; };
  EXPECT_EQ(Verdict(8, 5000, start), 0);
  const auto spikes = [](int64_t step) { return step % 3 == 0 ? 1e9 : 1.5; };
  EXPECT_EQ(Verdict(8, 5000, spikes), 0);
  const auto bursts = [](int64_t step) { return step % 200 < 15 ? 1e9 : 1.5; };
  EXPECT_EQ(Verdict(8, 5000, bursts), 0);
  const auto below = [](int64_t) { return 7.9; };
  EXPECT_EQ(Verdict(8, 5000, below), 0);
}

}  // namespace
}  // namespace continuo
