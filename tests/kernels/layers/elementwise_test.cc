// SPDX-License-Identifier: Apache-2.0

#include "kernels/layers/elementwise.h"

#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

TEST(ElementwiseTest, SumCopyZero) {
  Threads pool(3);
  const Floats a = Random(100'001, 1);
  const Floats b = Random(100'001, 2);
  Floats c(a.size());
  ASSERT_TRUE(
      Sum(pool.stream(), {.a = Vector(a), .b = Vector(b), .c = Vector(c)})
          .ok());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_EQ(c[i], a[i] + b[i]);
  ASSERT_TRUE(Copy(pool.stream(), {.from = Vector(b), .to = Vector(c)}).ok());
  EXPECT_EQ(c, b);
  ASSERT_TRUE(Zero(pool.stream(), {.x = Vector(c)}).ok());
  EXPECT_EQ(c, Floats(a.size(), 0.0f));
}

}  // namespace
}  // namespace continuo
