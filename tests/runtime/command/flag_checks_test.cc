// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/flag_checks.h"

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(FlagChecksTest, NamesTheFlagAndTheLimit) {
  EXPECT_TRUE(CheckAtLeast("threads", 0, 0).ok());
  EXPECT_EQ(CheckAtLeast("threads", -1, 0).message(),
            "--threads=-1: must be at least 0");
  EXPECT_EQ(CheckAtLeast<int64_t>("num_steps", int64_t{-1} << 40, 1).message(),
            "--num_steps=-1099511627776: must be at least 1");
  EXPECT_EQ(CheckAtLeast("split_seconds", 0.05, 0.1).message(),
            "--split_seconds=0.05: must be at least 0.1");
}

TEST(FlagChecksTest, RefusesWhatIsNoNumber) {
  EXPECT_FALSE(CheckAtLeast("qpm", std::nan(""), 0).ok());
}

}  // namespace
}  // namespace continuo
