// SPDX-License-Identifier: Apache-2.0

// One step of an LSTM's backward pass on every device and at every precision,
// against the formulas in double.

#include <cmath>

#include "kernels/lstm/lstm_step.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class LstmStepTest : public FormTest {
 protected:
  // From a step with or without one before it.
  void ExpectMatch(int64_t rows, int64_t n, bool first) const;
};
INSTANTIATE_TEST_SUITE_P(Forms, LstmStepTest, ::testing::ValuesIn(kForms),
                         FormName);

void LstmStepTest::ExpectMatch(int64_t rows, int64_t n, bool first) const {
  const Floats gates = Random(rows * 4 * n, 1), c = Random(rows * n, 2);
  const Floats c_prev = Random(rows * n, 3), dh = Random(rows * n, 4);
  const Floats dc = Random(rows * n, 5);
  GateArray dgates(stream(), GateType(stream()), gates);
  DeviceArray<float> there[] = {Put(c), Put(c_prev), Put(dh), Put(dc)};
  ASSERT_TRUE(LstmStepBackward(stream(), {.c_prev = first ? TensorView()
                                                          : there[1].matrix(n),
                                          .c = there[0].matrix(n),
                                          .gates = dgates.matrix(4 * n),
                                          .dh = there[2].matrix(n),
                                          .dc = there[3].matrix(n)})
                  .ok());
  const std::vector<float> dz = dgates.Read(), dc_prev = there[3].Read();
  const double tolerance = Tolerance(2e-6, 2e-6, 1.5e-2);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < n; ++k) {
      const int64_t at = r * n + k;
      const auto gate = [&](int which) { return r * 4 * n + which * n + k; };
      const double i = gates[gate(0)], j = gates[gate(1)];
      const double f = gates[gate(2)], o = gates[gate(3)];
      const double y = std::tanh(double{c[at]});
      const double dcell = dc[at] + dh[at] * o * (1 - y * y);
      const double before = first ? 0 : c_prev[at];
      ASSERT_NEAR(dz[gate(0)], dcell * j * i * (1 - i), tolerance);
      ASSERT_NEAR(dz[gate(1)], dcell * i * (1 - j * j), tolerance);
      ASSERT_NEAR(dz[gate(2)], dcell * before * f * (1 - f), tolerance);
      ASSERT_NEAR(dz[gate(3)], dh[at] * y * o * (1 - o), tolerance);
      ASSERT_NEAR(dc_prev[at], dcell * f, tolerance);
    }
  }
}

TEST_P(LstmStepTest, MatchesDouble) {
  for (const int64_t n : {1, 31, 33, 128, 130}) {
    for (const int64_t rows : {1, 15}) {
      SCOPED_TRACE(n);
      ExpectMatch(rows, n, false);
      ExpectMatch(rows, n, true);
    }
  }
}

TEST_P(LstmStepTest, NoRows) { ExpectMatch(0, 33, false); }

}  // namespace
}  // namespace continuo
