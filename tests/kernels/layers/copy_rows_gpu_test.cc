// SPDX-License-Identifier: Apache-2.0

// Moving rows, the same bits on every device.

#include "kernels/layers/copy_rows.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class CopyRowsFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, CopyRowsFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

TEST_P(CopyRowsFormTest, GatherRows) {
  for (const int64_t n : {1, 31, 33, 128, 130, 1100}) {
    for (const int64_t rows : {0, 1, 33}) {
      const Floats x = Random(50 * n, 1);
      std::vector<int32_t> from;
      for (int64_t i = 0; i < rows; ++i) {
        from.push_back(static_cast<int32_t>(i * 7 % 50));
      }
      DeviceArray<float> dx = Put(x), out = NewFloats(rows * n);
      DeviceArray<int32_t> dfrom = Put(from);
      ASSERT_TRUE(GatherRows(stream(), {.x = dx.matrix(n),
                                        .rows = dfrom.vector(),
                                        .out = out.matrix(n)})
                      .ok());
      const std::vector<float> got = out.Read();
      for (int64_t i = 0; i < rows * n; ++i) {
        ASSERT_EQ(got[i], x[from[i / n] * n + i % n]) << n << " " << i;
      }
    }
  }
}

TEST_P(CopyRowsFormTest, CopyRows) {
  for (const int64_t each : {1, 4, 31}) {
    const int64_t rows = 5, n = 3 * each;
    const Floats before = Random(rows * n, 1);
    DeviceArray<float> x = Put(before);
    DeviceArray<int32_t> from = Put(std::vector<int32_t>{0, 0, 3});
    DeviceArray<int32_t> to = Put(std::vector<int32_t>{4, 1, 2});
    ASSERT_TRUE(CopyRows(stream(), {.x = x.view({rows, 3, each}),
                                    .from = from.vector(),
                                    .to = to.vector()})
                    .ok());
    const int want[] = {0, 0, 3, 3, 0};  // the old row in each new one
    const std::vector<float> got = x.Read();
    for (int64_t i = 0; i < rows * n; ++i) {
      ASSERT_EQ(got[i], before[want[i / n] * n + i % n]);
    }
  }
}

}  // namespace
}  // namespace continuo
