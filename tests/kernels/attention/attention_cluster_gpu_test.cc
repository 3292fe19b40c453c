// SPDX-License-Identifier: Apache-2.0

// The attention cell in clusters of thread blocks.

#include <vector>

#include "kernels/attention/attention_launch.h"
#include "runtime/device/cuda_stream.h"
#include "tests/kernels/attention/attention_device.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

// More rows than a cluster takes, more steps than slots.
const std::vector<int>& Lengths9() {
  static const auto& lengths = *new std::vector<int>{4, 3, 3, 2, 2, 2, 2, 2, 1};
  return lengths;
}

class AttentionClusterTest : public FormTest {
 protected:
  bool Fits(int n) const {
    const AttentionShape shape = {.rows = 9, .n = n, .window = 3};
    return AttentionClusterFits(AttentionPass::kBackward, shape,
                                stream().options.precision,
                                stream().cuda->properties());
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, AttentionClusterTest,
                         ::testing::ValuesIn(kForms + 1, kForms + 4), FormName);

TEST_P(AttentionClusterTest, MatchesDoubleLoop) {
  if (!Fits(128)) GTEST_SKIP() << "the device has no clusters";
  ExpectMatchesDoubleLoop(stream(), Lengths9(), 128, 2,
                          Tolerance(2e-5, 1e-2, 1e-1),
                          Tolerance(1e-5, 3e-3, 3e-2));
}

// Clusters of 16 blocks.
TEST_P(AttentionClusterTest, WideMatchesDoubleLoop) {
  if (!Fits(256)) GTEST_SKIP() << "of bf16 on devices with clusters";
  ExpectMatchesDoubleLoop(stream(), Lengths9(), 256, 3,
                          Tolerance(2e-5, 1e-2, 1e-1),
                          Tolerance(1e-5, 3e-3, 3e-2));
}

TEST_P(AttentionClusterTest, PaddedGraphHasTheSameBits) {
  if (!Fits(128)) GTEST_SKIP() << "the device has no clusters";
  ExpectPaddedGraphHasTheSameBits(stream(), 128);
}

TEST_P(AttentionClusterTest, RowsAreIndependent) {
  if (!Fits(128)) GTEST_SKIP() << "the device has no clusters";
  ExpectRowsAreIndependent(stream(), 128);
}

}  // namespace
}  // namespace continuo
