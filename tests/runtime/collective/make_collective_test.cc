// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/make_collective.h"

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(MakeCollectiveTest, OneProcessNeedsNothing) {
  const auto collective = MakeCollective({}, Stream());
  ASSERT_TRUE(collective.ok()) << collective.status();
  EXPECT_EQ((*collective)->size(), 1);
}

}  // namespace
}  // namespace continuo
