// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/clock.h"

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;

TEST(ClockTest, MonotonicTimeNeverGoesBack) {
  absl::Duration last = MonotonicTime();
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration now = MonotonicTime();
    ASSERT_GE(now, last);
    last = now;
  }
}

// The time of day is for stamps. Nothing but runtime/base/clock.cc asks for it,
// so that no interval is measured with a clock that somebody may set.
TEST(ClockTest, NobodyElseReadsTheTimeOfDay) {
  int sources = 0;
  for (const char* folder :
       {"runtime", "kernels", "data", "models", "train", "generate", "bench"}) {
    const std::string root = std::string(CONTINUO_SOURCE_DIR) + "/" + folder;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string path = entry.path().string();
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc" && extension != ".cu" &&
          extension != ".cuh") {
        continue;
      }
      if (absl::EndsWith(path, "/runtime/base/clock.cc")) continue;
      ++sources;
      const std::string text = testing::MustRead(path);
      for (const char* call :
           {"absl::Now(", "GetCurrentTimeNanos", "system_clock", "gettimeofday",
            "CLOCK_REALTIME", "time(nullptr)", "time(NULL)"}) {
        EXPECT_FALSE(absl::StrContains(text, call)) << path << " has " << call;
      }
    }
  }
  EXPECT_GT(sources, 100);
}

}  // namespace
}  // namespace continuo
