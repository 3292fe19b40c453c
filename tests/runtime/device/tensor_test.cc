// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/tensor.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(TensorTest, ShapesCountCompareAndPrint) {
  const Shape scalar;
  EXPECT_EQ(scalar.rank(), 0);
  EXPECT_EQ(scalar.num_elements(), 1);
  EXPECT_EQ(scalar.ToString(), "[]");
  Shape matrix = {128, 512};
  EXPECT_EQ(matrix.num_elements(), 128 * 512);
  EXPECT_EQ(matrix.ToString(), "[128, 512]");
  EXPECT_TRUE(matrix == Shape({128, 512}));
  EXPECT_FALSE(matrix == Shape({512, 128}));
  EXPECT_FALSE(matrix == Shape({128}));
  matrix.Append(0);
  EXPECT_EQ(matrix.rank(), 3);
  EXPECT_EQ(matrix[2], 0);
  EXPECT_EQ(matrix.num_elements(), 0);
  // Beyond 32 bits.
  EXPECT_EQ(Shape({1 << 20, 1 << 20}).num_elements(), int64_t{1} << 40);
}

TEST(TensorTest, SizesAreThoseOfTheTypes) {
  EXPECT_EQ(DTypeSize(DTypeOf<float>::value), int64_t{sizeof(float)});
  EXPECT_EQ(DTypeSize(DTypeOf<double>::value), int64_t{sizeof(double)});
  EXPECT_EQ(DTypeSize(DTypeOf<int32_t>::value), int64_t{sizeof(int32_t)});
  EXPECT_EQ(DTypeSize(DTypeOf<int64_t>::value), int64_t{sizeof(int64_t)});
  EXPECT_EQ(DTypeSize(DTypeOf<uint64_t>::value), int64_t{sizeof(uint64_t)});
  EXPECT_EQ(DTypeSize(DTypeOf<Bfloat16>::value), int64_t{sizeof(Bfloat16)});
}

TEST(TensorTest, ViewsShareTheirElements) {
  const TensorView none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.data<int64_t>(), nullptr);
  float values[6] = {};
  const TensorView view(values, {2, 3});
  const TensorView copy = view;
  copy.data<float>()[4] = 5;
  EXPECT_TRUE(view);
  EXPECT_EQ(view.dtype, DType::kFloat32);
  EXPECT_EQ(view.num_elements(), 6);
  EXPECT_EQ(values[4], 5);
}

}  // namespace
}  // namespace continuo
