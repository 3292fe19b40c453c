// SPDX-License-Identifier: Apache-2.0

// The tempo map against the table that it stands for.

#include "data/notes/midi/midi_tempo.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/random.h"

namespace continuo {
namespace {

// Magenta's table: seconds of each tick up to `max_tick`, built interval by
// interval.
std::vector<double> Table(const std::vector<std::pair<int, double>>& scales,
                          int max_tick) {
  std::vector<double> table(max_tick + 1);
  double last_end = 0;
  for (size_t i = 0; i < scales.size(); ++i) {
    const int start = scales[i].first;
    const int end = i + 1 < scales.size() ? scales[i + 1].first : max_tick;
    for (int tick = start; tick <= end; ++tick) {
      table[tick] = last_end + scales[i].second * (tick - start);
    }
    last_end = table[end];
  }
  return table;
}

// Magenta's search of it: first entry not below, or its predecessor if strictly
// nearer.
int Nearest(const std::vector<double>& table, double seconds) {
  size_t tick = 0;
  while (table[tick] < seconds) ++tick;
  if (tick > 0 &&
      std::fabs(seconds - table[tick - 1]) < std::fabs(seconds - table[tick])) {
    --tick;
  }
  return static_cast<int>(tick);
}

const std::vector<std::pair<int, double>>& Scales() {
  static const auto& scales = *new std::vector<std::pair<int, double>>{
      {0, 60.0 / (120.0 * 220)},
      {100, 60.0 / (63.7 * 220)},
      {100, 60.0 / (200.3 * 220)},  // two changes on one tick
      {157, 60.0 / (90.0 * 220)},
      {1000, 60.0 / (121.3 * 220)}};
  return scales;
}

TempoMap MakeMap() {
  TempoMap map(Scales()[0].second);
  for (size_t i = 1; i < Scales().size(); ++i) {
    map.Append(Scales()[i].first, Scales()[i].second);
  }
  return map;
}

TEST(TempoMapTest, SecondsEqualTheTable) {
  const TempoMap map = MakeMap();
  const std::vector<double> table = Table(Scales(), 3000);
  size_t hint = 0;
  for (int tick = 0; tick <= 3000; ++tick) {
    EXPECT_EQ(map.Seconds(tick), table[tick]) << tick;
    EXPECT_EQ(map.Seconds(tick, &hint), table[tick]) << tick;
  }
  for (int tick : {3000, 0, 100, 99, 157, 2000, 5}) {
    EXPECT_EQ(map.Seconds(tick, &hint), table[tick]) << tick;
  }
}

TEST(TempoMapTest, TickIsTheNearestOfTheTable) {
  const TempoMap map = MakeMap();
  const std::vector<double> table = Table(Scales(), 1000);
  for (int i = 0; i < 2000; ++i) {
    const double seconds =
        table.back() * RandomDouble(1, RandomPurpose::kSample, 0, i);
    EXPECT_EQ(map.Tick(seconds), Nearest(table, seconds)) << seconds;
  }
  for (int tick = 0; tick <= 1000; ++tick) {
    EXPECT_EQ(map.Tick(table[tick]), tick);
  }
  EXPECT_EQ(map.Tick(-1.0), 0);
}

TEST(TempoMapTest, TickBehindTheLastChangeRoundsHalfToEven) {
  const TempoMap map(0.25);
  EXPECT_EQ(map.Tick(0.125), 0);  // 0.5
  EXPECT_EQ(map.Tick(0.375), 2);  // 1.5
  EXPECT_EQ(map.Tick(0.625), 2);  // 2.5
  EXPECT_EQ(map.Tick(1e15), 4e15);
}

}  // namespace
}  // namespace continuo
