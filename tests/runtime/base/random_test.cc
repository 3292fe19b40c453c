// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/random.h"

#include "gtest/gtest.h"

namespace continuo {
namespace {

// Known answers of the Random123 distribution for philox4x32 with 10 rounds.
TEST(RandomTest, PhiloxMatchesKnownAnswers) {
  const Philox4 zero = PhiloxBlock(0, 0, 0, 0, 0, 0);
  EXPECT_EQ(zero.v[0], 0x6627e8d5u);
  EXPECT_EQ(zero.v[1], 0xe169c58du);
  EXPECT_EQ(zero.v[2], 0xbc57ac4cu);
  EXPECT_EQ(zero.v[3], 0x9b00dbd8u);
  const uint32_t f = 0xffffffffu;
  const Philox4 ones = PhiloxBlock(f, f, f, f, f, f);
  EXPECT_EQ(ones.v[0], 0x408f276du);
  EXPECT_EQ(ones.v[1], 0x41c83b0eu);
  EXPECT_EQ(ones.v[2], 0xa20bc7c6u);
  EXPECT_EQ(ones.v[3], 0x6d5451fdu);
}

TEST(RandomTest, UniformsStayBelowOne) {
  EXPECT_EQ(UniformDouble(0, 0), 0.0);
  EXPECT_LT(UniformDouble(0xffffffffu, 0xffffffffu), 1.0);
  EXPECT_LT(UniformFloat(0xffffffffu), 1.0f);
}

TEST(RandomTest, PurposesAndStreamsDiffer) {
  const double a = RandomDouble(1, RandomPurpose::kShuffle, 0, 0);
  EXPECT_NE(a, RandomDouble(1, RandomPurpose::kSample, 0, 0));
  EXPECT_NE(a, RandomDouble(1, RandomPurpose::kShuffle, 1, 0));
  EXPECT_NE(a, RandomDouble(2, RandomPurpose::kShuffle, 0, 0));
  EXPECT_EQ(a, RandomDouble(1, RandomPurpose::kShuffle, 0, 0));
}

TEST(RandomTest, BelowCoversItsRange) {
  int counts[5] = {};
  for (int i = 0; i < 5000; ++i) {
    ++counts[RandomBelow(7, RandomPurpose::kShuffle, 0, i, 5)];
  }
  for (int count : counts) EXPECT_NEAR(count, 1000, 120);  // 4 sigma
}

}  // namespace
}  // namespace continuo
