// SPDX-License-Identifier: Apache-2.0

// Elementwise operations, the same bits on every device.

#include "kernels/layers/elementwise.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class ElementwiseFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, ElementwiseFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

TEST_P(ElementwiseFormTest, SumCopyZero) {
  for (const int64_t size : {0, 1, 31, 132, 10'001}) {
    const Floats a = Random(size, 1), b = Random(size, 2);
    DeviceArray<float> da = Put(a), db = Put(b), c = NewFloats(size);
    ASSERT_TRUE(
        Sum(stream(), {.a = da.vector(), .b = db.vector(), .c = c.vector()})
            .ok());
    std::vector<float> got = c.Read();
    for (int64_t i = 0; i < size; ++i) ASSERT_EQ(got[i], a[i] + b[i]);
    // In place.
    ASSERT_TRUE(
        Sum(stream(), {.a = c.vector(), .b = db.vector(), .c = c.vector()})
            .ok());
    got = c.Read();
    for (int64_t i = 0; i < size; ++i) ASSERT_EQ(got[i], a[i] + b[i] + b[i]);
    ASSERT_TRUE(Copy(stream(), {.from = db.vector(), .to = c.vector()}).ok());
    got = c.Read();
    for (int64_t i = 0; i < size; ++i) ASSERT_EQ(got[i], b[i]);
    ASSERT_TRUE(Zero(stream(), {.x = c.vector()}).ok());
    for (float value : c.Read()) ASSERT_EQ(value, 0);
  }
}

TEST_P(ElementwiseFormTest, ZeroTail) {
  const TestRaggedLayout shape({4, 2, 1});
  DeviceRaggedLayout ragged(stream(), shape);
  for (const DType type : {DType::kFloat32, DType::kBfloat16}) {
    if (type == DType::kBfloat16 && !on_gpu()) continue;
    for (const int64_t n : {1, 8, 33, 128}) {
      for (const int64_t rows : {shape.events(), shape.events() + 5}) {
        GateArray x(stream(), type, Floats(rows * n, 1.0f));
        ASSERT_TRUE(
            ZeroTail(stream(), {.ragged = ragged.view(), .x = x.matrix(n)})
                .ok());
        const std::vector<float> got = x.Read();
        for (int64_t i = 0; i < rows * n; ++i) {
          ASSERT_EQ(got[i], i / n < shape.events() ? 1 : 0) << i << " " << n;
        }
      }
    }
  }
}

}  // namespace
}  // namespace continuo
