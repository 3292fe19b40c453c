// SPDX-License-Identifier: Apache-2.0

#include "kernels/decoding/beam.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(BeamTest, PruneKeepsTheBestFirstAndTiesInListOrder) {
  const std::vector<double> scores = {-4.0, -2.0, -3.0, -2.0, -5.0, -1.0,
                                      -1.0, -1.0, -1.0, -1.0, -1.0, -1.0};
  std::vector<int32_t> kept(2 * 3, -1);
  ThreadPool pool(1);
  ASSERT_TRUE(BeamPrune({.device = {}, .pool = &pool},
                        {.scores = TensorView(scores.data(), {2, 6}),
                         .kept = TensorView(kept.data(), {2, 3})})
                  .ok());
  EXPECT_EQ(kept, (std::vector<int32_t>{5, 1, 3, 0, 1, 2}));
}

TEST(BeamTest, PruneCanKeepEverything) {
  const std::vector<double> scores = {-3.0, -1.0, -2.0};
  std::vector<int32_t> kept(3, -1);
  ThreadPool pool(1);
  ASSERT_TRUE(BeamPrune({.device = {}, .pool = &pool},
                        {.scores = TensorView(scores.data(), {1, 3}),
                         .kept = TensorView(kept.data(), {1, 3})})
                  .ok());
  EXPECT_EQ(kept, (std::vector<int32_t>{1, 2, 0}));
}

TEST(BeamTest, BranchRepeatsTheWholeListPerSearch) {
  const std::vector<int32_t> kept = {3, 1, 0, 2};
  std::vector<int32_t> source(2 * 6, -1);
  ThreadPool pool(1);
  ASSERT_TRUE(BeamBranch({.device = {}, .pool = &pool},
                         {.kept = TensorView(kept.data(), {2, 2}),
                          .hypotheses = 4,
                          .source = TensorView(source.data(), {2, 6})})
                  .ok());
  EXPECT_EQ(source, (std::vector<int32_t>{3, 1, 3, 1, 3, 1, 4, 6, 4, 6, 4, 6}));
}

}  // namespace
}  // namespace continuo
