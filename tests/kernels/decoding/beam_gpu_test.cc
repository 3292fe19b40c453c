// SPDX-License-Identifier: Apache-2.0

// Beam search bookkeeping, the same on every device.

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/decoding/beam.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class BeamFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, BeamFormTest, ::testing::ValuesIn(kFp32Forms),
                         FormName);

TEST_P(BeamFormTest, PruneKeepsTheBestFirstAndTiesInListOrder) {
  for (const int64_t searches : {0, 1, 3}) {
    for (const int64_t hypotheses : {1, 31, 33, 130, 256, 700}) {
      std::vector<double> scores;
      for (int64_t i = 0; i < searches * hypotheses; ++i) {
        // Many are equal, some minus infinity.
        const double x = RandomDouble(1, RandomPurpose::kSample, 0, i);
        scores.push_back(x < 0.1 ? -std::numeric_limits<double>::infinity()
                                 : -std::floor(20 * x));
      }
      DeviceArray<double> dscores = Put(scores);
      for (const int64_t keep :
           {int64_t{1}, (hypotheses + 2) / 3, hypotheses}) {
        DeviceArray<int32_t> kept(stream(), searches * keep);
        ASSERT_TRUE(
            BeamPrune(stream(), {.scores = dscores.view({searches, hypotheses}),
                                 .kept = kept.view({searches, keep})})
                .ok());
        std::vector<int32_t> want;
        for (int64_t r = 0; r < searches; ++r) {
          std::vector<int32_t> order(hypotheses);
          std::iota(order.begin(), order.end(), 0);
          std::stable_sort(
              order.begin(), order.end(), [&](int32_t a, int32_t b) {
                return scores[r * hypotheses + a] > scores[r * hypotheses + b];
              });
          want.insert(want.end(), order.begin(), order.begin() + keep);
        }
        ASSERT_EQ(kept.Read(), want) << hypotheses << " " << keep;
      }
    }
  }
}

TEST_P(BeamFormTest, BranchRepeatsTheWholeListPerSearch) {
  DeviceArray<int32_t> kept = Put(std::vector<int32_t>{3, 1, 0, 2});
  DeviceArray<int32_t> source(stream(), int64_t{12});
  ASSERT_TRUE(BeamBranch(stream(), {.kept = kept.view({2, 2}),
                                    .hypotheses = 4,
                                    .source = source.view({2, 6})})
                  .ok());
  EXPECT_EQ(source.Read(),
            (std::vector<int32_t>{3, 1, 3, 1, 3, 1, 4, 6, 4, 6, 4, 6}));
}

}  // namespace
}  // namespace continuo
