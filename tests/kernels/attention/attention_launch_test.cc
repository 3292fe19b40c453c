// SPDX-License-Identifier: Apache-2.0

#include "kernels/attention/attention_launch.h"

#include "gtest/gtest.h"

namespace continuo {
namespace {

constexpr AttentionPass kPasses[] = {AttentionPass::kForward,
                                     AttentionPass::kBackward};
constexpr Precision kPrecisions[] = {Precision::kFp32, Precision::kTf32,
                                     Precision::kBf16};

GpuProperties Properties(int capability, int64_t kilobytes) {
  GpuProperties properties;
  properties.compute_capability = capability;
  properties.multiprocessors = 132;
  properties.shared_bytes_per_block = kilobytes * 1024;
  return properties;
}
const GpuProperties kNew = Properties(90, 227);

TEST(AttentionLaunchTest, DefaultSizesTakeClusters) {
  for (const AttentionPass pass : kPasses) {
    for (const Precision precision : kPrecisions) {
      const auto layout = AttentionClusterLayout(
          pass, {.rows = 128, .n = 128, .window = 40}, precision, kNew);
      ASSERT_TRUE(layout.has_value());
      EXPECT_EQ(layout->blocks, 8);
      EXPECT_LE(layout->shared_bytes, kNew.shared_bytes_per_block);
      const AttentionShape wide = {.rows = 128, .n = 256, .window = 32};
      EXPECT_EQ(AttentionClusterFits(pass, wide, precision, kNew),
                precision == Precision::kBf16);
    }
  }
}

TEST(AttentionLaunchTest, OthersDoNot) {
  for (const AttentionPass pass : kPasses) {
    const AttentionShape shape = {.rows = 128, .n = 128, .window = 40};
    EXPECT_FALSE(AttentionClusterFits(pass, shape, Precision::kBf16,
                                      Properties(80, 163)));
    EXPECT_FALSE(AttentionClusterFits(pass, shape, Precision::kFp32,
                                      Properties(120, 99)));
    for (const int64_t n : {1, 100, 129, 512}) {
      EXPECT_FALSE(AttentionClusterFits(
          pass, {.rows = 128, .n = n, .window = 40}, Precision::kBf16, kNew));
    }
    EXPECT_FALSE(AttentionClusterFits(
        pass, {.rows = 128, .n = 128, .window = 4000}, Precision::kBf16, kNew));
  }
}

TEST(AttentionLaunchTest, PlainFormTakesAnySize) {
  for (const AttentionPass pass : kPasses) {
    for (const Precision precision : kPrecisions) {
      for (const int64_t n : {1, 33, 130, 256, 1000}) {
        for (const int64_t window : {1, 40, 1000}) {
          for (const int64_t rows : {1, 128, 5000}) {
            const GpuProperties old = Properties(80, 163);
            const auto layout = AttentionPlainLayout(
                pass, {.rows = rows, .n = n, .window = window}, precision, old);
            ASSERT_TRUE(layout.has_value()) << n << " " << window;
            EXPECT_LE(layout->shared_bytes, old.shared_bytes_per_block);
            EXPECT_GE(layout->padded, n);
          }
        }
      }
      const AttentionShape huge = {.rows = 1, .n = 1 << 20, .window = 1};
      EXPECT_FALSE(
          AttentionPlainLayout(pass, huge, precision, kNew).has_value());
    }
  }
}

// A row's sums are cut alike whatever rows there are: so are its bits.
TEST(AttentionLaunchTest, SumsDoNotDependOnRows) {
  for (const AttentionPass pass : kPasses) {
    const AttentionShape one = {.rows = 1, .n = 130, .window = 40};
    const AttentionShape many = {.rows = 5000, .n = 130, .window = 40};
    const auto a = AttentionPlainLayout(pass, one, Precision::kFp32, kNew);
    const auto b = AttentionPlainLayout(pass, many, Precision::kFp32, kNew);
    ASSERT_TRUE(a.has_value() && b.has_value());
    EXPECT_LT(a->rows, b->rows);
    EXPECT_EQ(a->wide_splits, b->wide_splits);
    EXPECT_EQ(a->narrow_splits, b->narrow_splits);
    EXPECT_EQ(a->slot_groups, b->slot_groups);
  }
}

}  // namespace
}  // namespace continuo
