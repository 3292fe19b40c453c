// SPDX-License-Identifier: Apache-2.0

// On the CPU; tests/runtime/device/cuda_gpu_test.cc has the rest.

#include "runtime/device/device_copy.h"

#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(DeviceCopyTest, CopiesBytesOrNone) {
  const Stream stream;
  const std::vector<float> from = {1, 2, 3};
  std::vector<float> to = {7, 8, 9};
  ASSERT_TRUE(
      CopyBytes(stream, from.data(), to.data(), 2 * sizeof(float)).ok());
  EXPECT_EQ(to, (std::vector<float>{1, 2, 9}));
  EXPECT_TRUE(CopyBytes(stream, nullptr, nullptr, 0).ok());
  EXPECT_TRUE(Synchronize(stream).ok());
}

TEST(DeviceCopyTest, CopiesTensorsOfOneSizeInWhateverShape) {
  const Stream stream;
  const std::vector<double> from = {1, 2, 3, 4};
  std::vector<double> to(4);
  ASSERT_TRUE(CopyAndWait(stream, TensorView(from.data(), {2, 2}),
                          TensorView(to.data(), {4}))
                  .ok());
  EXPECT_EQ(to, from);
}

}  // namespace
}  // namespace continuo
