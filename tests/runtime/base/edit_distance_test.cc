// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/edit_distance.h"

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(EditDistanceTest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(EditDistance("num_output", "num_outputs"), 1);
}

TEST(EditDistanceTest, NearestNameIsTheFirstOfTheBest) {
  EXPECT_EQ(NearestName("beem_size", {"batch_size", "beam_size", "qpm"}),
            "beam_size");
  EXPECT_EQ(NearestName("x", {"a", "b"}), "a");
  EXPECT_EQ(NearestName("x", {}), "");
}

}  // namespace
}  // namespace continuo
