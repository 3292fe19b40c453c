// SPDX-License-Identifier: Apache-2.0

#include "data/records/micro_batches.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/random.h"
#include "tests/testing/examples.h"
#include "tests/testing/numbered_examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using Parts = std::vector<std::vector<int32_t>>;

// Lengths from 1 to `longest`, most of them short.
std::vector<int32_t> SomeLengths(int rows, int longest, uint64_t seed) {
  std::vector<int32_t> lengths;
  for (int i = 0; i < rows; ++i) {
    const uint64_t most =
        1 + RandomBelow(seed, RandomPurpose::kShuffle, 0, i, longest);
    lengths.push_back(static_cast<int32_t>(
        1 + RandomBelow(seed, RandomPurpose::kShuffle, 1, i, most)));
  }
  return lengths;
}

TEST(MicroBatchesTest, EveryRowOnceAndBalanced) {
  for (const int rows : {1, 2, 7, 64, 129}) {
    for (const int count : {1, 2, 3, 8, 64, 200}) {
      for (uint64_t seed = 0; seed < 5; ++seed) {
        const std::vector<int32_t> lengths = SomeLengths(rows, 90, seed);
        const int32_t longest =
            *std::max_element(lengths.begin(), lengths.end());
        const int64_t all =
            std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
        const Parts parts = CutBatch(lengths, count);
        ASSERT_EQ(parts.size(), count);
        std::vector<int> seen(rows, 0);
        std::vector<int64_t> events, sizes;
        for (const std::vector<int32_t>& part : parts) {
          events.push_back(0);
          sizes.push_back(static_cast<int64_t>(part.size()));
          for (size_t i = 0; i < part.size(); ++i) {
            ++seen[part[i]];
            events.back() += lengths[part[i]];
            // Longest first.
            if (i == 0) continue;
            EXPECT_GE(lengths[part[i - 1]], lengths[part[i]]);
          }
        }
        EXPECT_EQ(seen, std::vector<int>(rows, 1));
        const auto [few, many] =
            std::minmax_element(sizes.begin(), sizes.end());
        EXPECT_LE(*many - *few, 1);
        EXPECT_EQ(*many, MaxMicroBatchRows(rows, count));
        const auto [light, heavy] =
            std::minmax_element(events.begin(), events.end());
        EXPECT_LE(*heavy - *light, longest);
        EXPECT_LE(*heavy, MaxMicroBatchEvents(all, longest, count));
      }
    }
  }
}

TEST(MicroBatchesTest, OneIsTheWholeBatchLongestFirst) {
  EXPECT_EQ(CutBatch({3, 5, 3, 9}, 1), (Parts{{3, 1, 0, 2}}));
  EXPECT_EQ(MaxMicroBatchEvents(20, 9, 1), 20);
}

TEST(MicroBatchesTest, EqualLengthsAreDealtInOrder) {
  EXPECT_EQ(CutBatch({4, 4, 4, 4, 4}, 2), (Parts{{0, 2, 4}, {1, 3}}));
}

// The longest row of a round goes where there is least.
TEST(MicroBatchesTest, ALongRowIsMadeUpFor) {
  EXPECT_EQ(CutBatch({9, 1, 5, 2, 2, 2}, 2), (Parts{{0, 4, 1}, {2, 3, 5}}));
}

TEST(MicroBatchesTest, SomeHaveNoRowsWhereThereAreTooFew) {
  EXPECT_EQ(CutBatch({1, 2}, 4), (Parts{{1}, {0}, {}, {}}));
  EXPECT_EQ(CutBatch({}, 2), (Parts{{}, {}}));
}

// What ranks read of a stream is the batch, each row once, with its place.
TEST(MicroBatchesTest, PartsOfAStreamAreThoseOfTheBatch) {
  const testing::ScratchDir dir;
  testing::MustWriteRecords(dir.Path("d"), testing::NumberedRange(0, 7));
  const auto dataset = testing::MustOpenNumbered(dir.Path("d"));
  const auto stream = [&](const MicroBatchRange& range) {
    return std::make_unique<BatchStream>(dataset.get(), 5, /*seed=*/3,
                                         DataPosition(), StreamOfPart(range));
  };
  const auto whole = stream({1, 0, 1}), all = stream({4, 0, 4}),
             some = stream({4, 1, 3}), none = stream({4, 2, 2});
  for (int i = 0; i < 5; ++i) {
    const auto batch = ReadPart(whole.get()), parts = ReadPart(all.get()),
               part = ReadPart(some.get()), nothing = ReadPart(none.get());
    ASSERT_TRUE(batch.ok() && parts.ok() && part.ok() && nothing.ok());
    EXPECT_EQ(some->position(), whole->position());
    EXPECT_EQ(none->position(), whole->position());
    ASSERT_EQ(batch->micro_batches.size(), 1);
    const PackedBatch& rows = batch->micro_batches[0];
    EXPECT_EQ(rows.num_events(), batch->num_events);
    EXPECT_EQ(part->num_events, batch->num_events);
    ASSERT_EQ(parts->micro_batches.size(), 4);
    ASSERT_EQ(part->micro_batches.size(), 2);
    EXPECT_TRUE(nothing->micro_batches.empty());
    std::vector<int64_t> first_label(5);  // by place
    for (int row = 0; row < 5; ++row) {
      first_label[rows.source[row]] = rows.labels[row];
    }
    std::set<int32_t> places;
    for (const PackedBatch& micro : parts->micro_batches) {
      for (int row = 0; row < micro.num_rows(); ++row) {
        EXPECT_EQ(micro.labels[row], first_label[micro.source[row]]);
        EXPECT_TRUE(places.insert(micro.source[row]).second);
      }
    }
    EXPECT_EQ(places.size(), 5);
    for (int k : {1, 2}) {
      EXPECT_EQ(part->micro_batches[k - 1].source,
                parts->micro_batches[k].source);
      EXPECT_EQ(part->micro_batches[k - 1].labels,
                parts->micro_batches[k].labels);
    }
  }
}

TEST(MicroBatchesTest, RanksShareAllOfThem) {
  for (const int count : {1, 2, 3, 8, 64}) {
    for (const int size : {1, 2, 3, 5, 8, 64, 65}) {
      int next = 0;
      for (int rank = 0; rank < size; ++rank) {
        const MicroBatchRange range = RangeOfRank(count, rank, size);
        EXPECT_EQ(range.count, count);
        EXPECT_EQ(range.begin, next);
        EXPECT_LE(range.size(), (count + size - 1) / size);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

}  // namespace
}  // namespace continuo
