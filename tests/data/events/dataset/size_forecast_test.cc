// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/size_forecast.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

std::optional<int64_t> Plenty(const std::string&) { return int64_t{1} << 50; }
std::optional<int64_t> Little(const std::string&) { return 10'000'000; }
std::optional<int64_t> Unknown(const std::string&) { return std::nullopt; }

TEST(SizeForecastTest, WarnsOnceAtAHundredExamplesOfALargeSet) {
  SizeForecast forecast(1'000'000);
  forecast.Add(10'000, 99, 80'000'000, {800'000, 1'000});
  EXPECT_FALSE(forecast.Warning("data", Plenty).has_value());
  forecast.Add(0, 1, 0, {});
  const auto warning = forecast.Warning("data", Plenty);
  ASSERT_TRUE(warning.has_value());
  EXPECT_TRUE(absl::StrContains(*warning, "about 8.00 GB")) << *warning;
  EXPECT_TRUE(absl::StrContains(*warning,
                                "`format`=compact writes the same examples in "
                                "about 10.0 MB"))
      << *warning;
  forecast.Add(10'000, 5000, 80'000'000, {});
  EXPECT_FALSE(forecast.Warning("data", Plenty).has_value());
}

TEST(SizeForecastTest, ComparesWithTheFreeSpace) {
  SizeForecast forecast(1'000'000);
  forecast.Add(100'000, 100, 4'000'000, {});
  EXPECT_FALSE(forecast.Warning("data", Plenty).has_value());
  // Looks again when there is ten times as much to go by.
  forecast.Add(1, 100, 0, {});
  EXPECT_FALSE(forecast.Warning("data", Little).has_value());
  forecast.Add(0, 800, 0, {});
  const auto warning = forecast.Warning("data", Little);
  ASSERT_TRUE(warning.has_value());
  EXPECT_TRUE(
      absl::StrContains(*warning, "40.0 MB, but only 14.0 MB are free in data"))
      << *warning;
  // No sample: nothing is said of the compact form.
  EXPECT_FALSE(absl::StrContains(*warning, "compact"));
}

TEST(SizeForecastTest, DoesWithoutTheFreeSpace) {
  SizeForecast small(1'000);
  small.Add(1'000, 100, 1'000'000, {});
  EXPECT_FALSE(small.Warning("data", Unknown).has_value());
  SizeForecast large(1'000);
  large.Add(1, 100, 2'000'000, {});
  EXPECT_TRUE(large.Warning("data", Unknown).has_value());
}

}  // namespace
}  // namespace continuo
