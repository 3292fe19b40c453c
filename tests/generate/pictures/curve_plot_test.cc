// SPDX-License-Identifier: Apache-2.0

#include "generate/pictures/curve_plot.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(CurveLogTest, ReadsLines) {
  const auto log = ParseCurveLog(
      "{\"step\":1,\"loss\":0.5,\"bits_per_event\":3}\n"
      "{\"step\":11,\"loss\":0.6931471805599453}\n\n"
      "{\"step\":21,\"bits_per_event\":\"NaN\"}\n"
      "{\"step\":5,\"bits_per_event\":2,\"unigram_bits_per_event\":2.5}\n"
      "{\"step\":1,\"bits_per_event\":4}\n"
      "{\"step\":31,\"bits_per_ev");
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->points.size(), 3);
  EXPECT_EQ(log->points[0].step, 1);
  EXPECT_EQ(log->points[0].bits, 4);
  EXPECT_EQ(log->points[1].step, 5);
  EXPECT_NEAR(log->points[2].bits, 1, 1e-12);
  EXPECT_EQ(log->unigram_bits, 2.5);
}

TEST(CurveLogTest, WhatIsNoLogIsAnError) {
  EXPECT_FALSE(ParseCurveLog("[1]\nwords\n{\"step\":1}\n").ok());
  EXPECT_FALSE(ParseCurveLog("words").ok());
}

TEST(CurveLogTest, ALogMayHaveNothingToDrawYet) {
  for (const char* text :
       {"", "\n", "{\"step\":31,\"bits_per_ev",
        "{\"step\":1,\"bits_per_event\":\"NaN\",\"loss\":\"NaN\"}\n"}) {
    const auto log = ParseCurveLog(text);
    ASSERT_TRUE(log.ok()) << text;
    EXPECT_TRUE(log->points.empty()) << text;
  }
}

TEST(SmoothTest, KeepsStraightLinesAndReducesNoise) {
  std::vector<CurvePoint> line, noise;
  for (int i = 0; i < 50; ++i) {
    line.push_back({double(i), 2.0 * i});
    noise.push_back({double(i), i % 2 == 0 ? 1.0 : -1.0});
  }
  const auto same = Smooth(line, 5);
  for (int i = 0; i < 45; ++i) EXPECT_NEAR(same[i].bits, 2.0 * i, 1e-12);
  const auto calm = Smooth(noise, 5);
  for (int i = 5; i < 45; ++i) EXPECT_LT(std::abs(calm[i].bits), 0.1);
  EXPECT_EQ(Smooth(noise, 0)[3].bits, -1);
}

TEST(NiceTicksTest, RoundNumbers) {
  EXPECT_EQ(NiceTicks(0, 1000, 8),
            (std::vector<double>{0, 200, 400, 600, 800, 1000}));
  const auto ticks = NiceTicks(0, 3.6, 8);
  ASSERT_EQ(ticks.size(), 8);
  EXPECT_FALSE(std::signbit(ticks[0]));
  EXPECT_DOUBLE_EQ(ticks[7], 3.5);
  EXPECT_GE(NiceTicks(0, 1, 1).size(), 2);
}

TEST(CurvePlotTest, TheCurveFallsBelowTheBaseline) {
  CurveLog log;
  for (int i = 1; i <= 100; ++i)
    log.points.push_back({double(i), 4 - 0.03 * i});
  log.unigram_bits = 2.5;
  const CurveLog evaluation = {.points = {{50, 2.6}, {100, 1.2}},
                               .unigram_bits = {}};
  const Canvas canvas = RenderCurve("run", log, &evaluation);
  // The thick blue line, found column by column, goes down the picture.
  const auto height = [&](int x) {
    for (int y = 75; y < canvas.height(); ++y) {
      const Color color = canvas.At(x, y);
      if (color.b > 150 && color.r < 60) return y;
    }
    return -1;
  };
  const int early = height(300), late = height(1100);
  ASSERT_GT(early, 0);
  ASSERT_GT(late, 0);
  EXPECT_GT(late, early + 150);
}

TEST(CurvePlotTest, ALogWithoutStepsIsLeftOut) {
  const CurveLog log = {.points = {{0, 3}, {1, 2}}, .unigram_bits = {}};
  const CurveLog empty;
  const auto with = RenderCurve("run", log, &empty).EncodePng();
  const auto without = RenderCurve("run", log, nullptr).EncodePng();
  ASSERT_TRUE(with.ok() && without.ok());
  EXPECT_EQ(*with, *without);
  const auto nothing = RenderCurve("run", empty, &empty).EncodePng();
  ASSERT_TRUE(nothing.ok());
  EXPECT_NE(*nothing, *without);
}

TEST(NiceTicksTest, AreFewWhateverTheNumbers) {
  for (const auto& [low, high] : {std::pair(-1e30, 1e30),
                                  {0.0, 1e-300},
                                  {1e15, 1e15 + 1},
                                  {0.0, 0.0},
                                  {-1e308, 1e308}}) {
    EXPECT_LE(NiceTicks(low, high, 8).size(), 10) << low << " to " << high;
  }
}

TEST(CurvePlotTest, HugeLossesAreDrawnOrLeftOut) {
  const auto huge = ParseCurveLog(
      "{\"step\":1,\"loss\":1e308}\n{\"step\":2,\"loss\":-1e308}\n");
  ASSERT_TRUE(huge.ok());
  EXPECT_TRUE(huge->points.empty());
  const auto diverged = ParseCurveLog(
      "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":2.7e20}\n"
      "{\"step\":3,\"loss\":-1e308}\n{\"step\":1e308,\"loss\":1}\n");
  ASSERT_TRUE(diverged.ok());
  ASSERT_EQ(diverged->points.size(), 2);
  EXPECT_GT(RenderCurve("run", *diverged, nullptr).width(), 0);
}

TEST(CurvePlotTest, OneLineIsEnough) {
  const CurveLog log = {.points = {{0, 3}}, .unigram_bits = {}};
  EXPECT_GT(RenderCurve("run", log, nullptr).width(), 0);
}

}  // namespace
}  // namespace continuo
