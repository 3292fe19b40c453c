// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/log_once.h"

#include "gtest/gtest.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

TEST(LogOnceTest, SaysALineOnce) {
  ASSERT_TRUE(SetLogLevel("DEBUG").ok());
  ::testing::internal::CaptureStderr();
  LogDebugOnce("the grid form");
  LogDebugOnce("the block form");
  LogDebugOnce("the grid form");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "DEBUG: the grid form\nDEBUG: the block form\n");
  ASSERT_TRUE(SetLogLevel("INFO").ok());
}

}  // namespace
}  // namespace continuo
