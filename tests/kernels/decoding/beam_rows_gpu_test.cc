// SPDX-License-Identifier: Apache-2.0

// Scores and rows of beams on every device, against plain loops.

#include "kernels/decoding/beam_rows.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class BeamRowsFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, BeamRowsFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

TEST_P(BeamRowsFormTest, ScoresAreAddedInOrder) {
  for (const int64_t rows : {1, 31, 33, 130}) {
    for (const int64_t steps : {0, 1, 7}) {
      std::vector<double> scores, log_p;
      for (float value : Random(rows, 1)) scores.push_back(100 * value);
      for (float value : Random(steps * rows, 2)) log_p.push_back(value);
      DeviceArray<double> dscores = Put(scores), dlog_p = Put(log_p);
      ASSERT_TRUE(AddScores(stream(), {.log_p = dlog_p.view({steps, rows}),
                                       .scores = dscores.vector()})
                      .ok());
      for (int64_t i = 0; i < steps * rows; ++i) scores[i % rows] += log_p[i];
      EXPECT_EQ(dscores.Read(), scores);
    }
  }
}

TEST_P(BeamRowsFormTest, RowsFollowTheKeptEntries) {
  constexpr int64_t kPrefixes = 3, kSearches = 35, kKept = 2, kEntries = 6;
  constexpr int64_t kRows = kPrefixes + kSearches * kEntries;
  std::vector<int32_t> kept, ending, keep, want;
  for (int32_t s = 0; s < kSearches; ++s) {
    ending.push_back(s % 3 == 0 ? 1 : 0);
    for (int32_t k = 0; k < kKept; ++k) kept.push_back((5 * s + 2 * k) % 6);
  }
  for (int32_t row = 0; row < kRows; ++row) {
    if (row % 4 != 1) keep.push_back(row);
    if (row < kPrefixes) {
      want.push_back(row);
      continue;
    }
    const int32_t search = (row - kPrefixes) / kEntries;
    const int32_t hypothesis = (row - kPrefixes) % kEntries;
    const int32_t first = kPrefixes + search * kEntries;
    want.push_back(first + (ending[search] == 1
                                ? kept[search * kKept + hypothesis % kKept]
                                : hypothesis));
  }
  DeviceArray<int32_t> dkept = Put(kept), dending = Put(ending);
  DeviceArray<int32_t> dkeep = Put(keep);
  for (const bool all : {true, false}) {
    const auto count = all ? kRows : static_cast<int64_t>(keep.size());
    DeviceArray<int32_t> source(stream(), count);
    ASSERT_TRUE(BeamRows(stream(), {.prefixes = kPrefixes,
                                    .hypotheses = kEntries,
                                    .kept = dkept.matrix(kKept),
                                    .ending = dending.vector(),
                                    .keep = all ? TensorView() : dkeep.vector(),
                                    .source = source.vector()})
                    .ok());
    const std::vector<int32_t> got = source.Read();
    for (int64_t i = 0; i < count; ++i) {
      ASSERT_EQ(got[i], want[all ? i : keep[i]]) << i;
    }
  }
}

}  // namespace
}  // namespace continuo
