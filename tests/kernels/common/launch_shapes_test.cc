// SPDX-License-Identifier: Apache-2.0

#include "kernels/common/launch_shapes.h"

#include "gtest/gtest.h"

namespace continuo::gpu {
namespace {

constexpr int64_t kKilobyte = 1024;

GpuProperties Gpu(int64_t shared_kilobytes) {
  GpuProperties gpu;
  gpu.shared_bytes_per_block = shared_kilobytes * kKilobyte;
  return gpu;
}

TEST(LaunchShapesTest, ScatterKeepsItsSumsOnChipWhereTheyFit) {
  for (const int64_t kilobytes : {99, 163, 227}) {
    const GpuProperties gpu = Gpu(kilobytes);
    // The inputs of the published networks.
    for (const int64_t width : {38, 74, 121, 388, 530}) {
      EXPECT_EQ(ScatterSharedBytes(gpu, width), width * 128);
    }
    EXPECT_EQ(ScatterSharedBytes(gpu, kilobytes * 8), kilobytes * kKilobyte);
    EXPECT_EQ(ScatterSharedBytes(gpu, kilobytes * 8 + 1), 0);
  }
}

TEST(LaunchShapesTest, ScatterChunksKeepTheirSumsBelowAQuarterOfTheRows) {
  for (const int64_t width : {1, 38, 64, 65, 388, 5000}) {
    EXPECT_GE(ScatterChunkRows(width), 4 * width);
    EXPECT_GE(ScatterChunkRows(width), 256);
  }
}

TEST(LaunchShapesTest, SampleTakesFewerRowsOfLargerHeads) {
  const GpuProperties gpu = Gpu(99);
  EXPECT_EQ(MakeSampleShape(gpu, 38).warps, 4);
  EXPECT_EQ(MakeSampleShape(gpu, 388).warps, 4);
  EXPECT_EQ(MakeSampleShape(gpu, 1000).warps, 2);
  EXPECT_EQ(MakeSampleShape(gpu, 3000).warps, 1);
  EXPECT_EQ(MakeSampleShape(gpu, 6000).warps, 0);
  for (const int64_t head : {1, 388, 1000, 2457, 2458, 5000}) {
    const SampleShape shape = MakeSampleShape(gpu, head);
    EXPECT_LE(shape.shared_bytes, gpu.shared_bytes_per_block);
    // Only one row may take more than a block has anyway.
    if (shape.warps == 1) continue;
    EXPECT_LE(shape.shared_bytes, kSharedWithoutAsking);
  }
}

}  // namespace
}  // namespace continuo::gpu
