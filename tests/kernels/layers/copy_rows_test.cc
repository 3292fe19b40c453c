// SPDX-License-Identifier: Apache-2.0

#include "kernels/layers/copy_rows.h"

#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

TEST(CopyRowsTest, GatherRows) {
  Threads pool(3);
  const int n = 37;
  const Floats x = Random(50 * n, 1);
  std::vector<int32_t> rows;
  for (int i = 0; i < 3000; ++i) rows.push_back(i * 7 % 50);
  Floats out(rows.size() * n);
  ASSERT_TRUE(GatherRows(pool.stream(), {.x = Matrix(x, n),
                                         .rows = Vector(rows),
                                         .out = Matrix(out, n)})
                  .ok());
  for (size_t r = 0; r < rows.size(); ++r) {
    ASSERT_TRUE(std::equal(out.begin() + r * n, out.begin() + (r + 1) * n,
                           x.begin() + rows[r] * n));
  }
}

TEST(CopyRowsTest, CopyRows) {
  Threads pool(2);
  const int64_t rows = 5, n = 12;
  const Floats before = Random(rows * n, 1);
  Floats x = before;
  const std::vector<int32_t> from = {0, 0, 3};
  const std::vector<int32_t> to = {4, 1, 2};
  ASSERT_TRUE(CopyRows(pool.stream(), {.x = TensorView(x.data(), {rows, 3, 4}),
                                       .from = Vector(from),
                                       .to = Vector(to)})
                  .ok());
  const int want[] = {0, 0, 3, 3, 0};  // the old row in each new one
  for (int64_t i = 0; i < rows * n; ++i) {
    EXPECT_EQ(x[i], before[i + (want[i / n] - i / n) * n]);
  }
}

}  // namespace
}  // namespace continuo
