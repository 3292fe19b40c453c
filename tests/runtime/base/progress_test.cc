// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/progress.h"

#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(ProgressTest, TellsRateAndTimeLeft) {
  EXPECT_EQ(ProgressText(50, 200, "files", 10.0),
            "50 of 200 files (25 %), 5 files/s, 30 s left");
  EXPECT_EQ(ProgressText(1, 200, "files", 2.0),
            "1 of 200 files (0 %), 0 files/s, 6 min 38 s left");
  EXPECT_EQ(ProgressText(0, 0, "files", 0.0), "0 of 0 files (100 %)");
}

TEST(ProgressTest, KnowsTheTimeLeftFromTheFractionAlone) {
  EXPECT_EQ(FractionText(1200, 0.25, "sequences", "40 examples", 10.0),
            "1200 sequences (25 %), 40 examples, 120 sequences/s, 30 s left");
  EXPECT_EQ(FractionText(0, 0.0, "sequences", "0 examples", 0.0),
            "0 sequences (0 %), 0 examples, 0 sequences/s");
  Progress progress(0, {.unit = "files", .interval = absl::ZeroDuration()});
  ::testing::internal::CaptureStderr();
  progress.UpdateFraction(3, 0.5, "1 tune");
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.rfind("INFO: 3 files (50 %), 1 tune, ", 0), 0u) << line;
}

TEST(ProgressTest, LogsWithItsVerbAndUnit) {
  Progress progress(8, {.verb = "Generated ",
                        .unit = "events",
                        .interval = absl::ZeroDuration()});
  ::testing::internal::CaptureStderr();
  progress.Update(2);
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.rfind("INFO: Generated 2 of 8 events (25 %), ", 0), 0u)
      << line;
}

TEST(ProgressTest, SaysNothingTooSoon) {
  Progress progress(8, {.unit = "files", .interval = absl::InfiniteDuration()});
  ::testing::internal::CaptureStderr();
  progress.Update(2);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace continuo
