#include "kernels/layers/rows.h"

#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

TEST(RowsTest, GatherRows) {
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

TEST(RowsTest, CopyRows) {
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

TEST(RowsTest, SumCopyZero) {
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
