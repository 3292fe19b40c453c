// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/counted.h"

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(CountedTest, OneIsNoPlural) {
  EXPECT_EQ(Counted(0, "file"), "0 files");
  EXPECT_EQ(Counted(1, "file"), "1 file");
  EXPECT_EQ(Counted(int64_t{1} << 40, "event"), "1099511627776 events");
}

}  // namespace
}  // namespace continuo
