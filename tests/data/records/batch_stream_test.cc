// SPDX-License-Identifier: Apache-2.0

#include "data/records/batch_stream.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/child.h"
#include "tests/testing/examples.h"
#include "tests/testing/numbered_examples.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::MustOpenNumbered;
using testing::MustWriteRecords;
using testing::NumberedRange;
using testing::ScratchDir;

TEST(BatchStreamTest, IsTheSameWithoutAThreadToReadAhead) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  EXPECT_EQ(testing::RunChild([&] {
              const auto dataset = MustOpenNumbered(dir.Path("d"));
              BatchStream ahead(dataset.get(), 3, /*seed=*/5, {});
              testing::RefuseThreads();
              BatchStream alone(dataset.get(), 3, /*seed=*/5, {});
              for (int i = 0; i < 8; ++i) {
                const auto a = ahead.Next();
                const auto b = alone.Next();
                if (!a.ok() || !b.ok() || a->labels != b->labels ||
                    ahead.position().epoch != alone.position().epoch ||
                    ahead.position().index != alone.position().index) {
                  return 1 + i;
                }
              }
              return 0;
            }).code,
            0);
}

TEST(EpochOrderTest, IsAPermutationOfSeedAndEpoch) {
  const std::vector<int64_t> order = EpochOrder(100, 5, 0);
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sorted[i], i);
  EXPECT_EQ(order, EpochOrder(100, 5, 0));
  EXPECT_NE(order, EpochOrder(100, 5, 1));
  EXPECT_NE(order, EpochOrder(100, 6, 0));
  EXPECT_TRUE(EpochOrder(0, 1, 0).empty());
}

// The first labels of a batch's rows in the order they were drawn.
std::vector<int64_t> Drawn(const PackedBatch& batch) {
  std::vector<int64_t> drawn(batch.num_rows());
  for (int row = 0; row < batch.num_rows(); ++row) {
    drawn[batch.source[row]] = batch.labels[row];
  }
  return drawn;
}

TEST(BatchStreamTest, EveryExampleOncePerEpochInFullBatches) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  const auto dataset = MustOpenNumbered(dir.Path("d"));
  for (int batch_size : {1, 3, 7, 16}) {
    BatchStream stream(dataset.get(), batch_size, /*seed=*/11, {});
    std::vector<int64_t> drawn;
    while (drawn.size() < 28) {
      const auto batch = stream.Next();
      ASSERT_TRUE(batch.ok());
      ASSERT_EQ(batch->num_rows(), batch_size);
      for (int64_t label : Drawn(*batch)) drawn.push_back(label);
      const int64_t count = static_cast<int64_t>(drawn.size());
      EXPECT_EQ(stream.position().epoch * 7 + stream.position().index, count);
    }
    for (int epoch = 0; epoch < 4; ++epoch) {
      const std::vector<int64_t> one(drawn.begin() + 7 * epoch,
                                     drawn.begin() + 7 * (epoch + 1));
      EXPECT_EQ(one, EpochOrder(7, 11, epoch));
      EXPECT_EQ(std::set<int64_t>(one.begin(), one.end()).size(), 7);
    }
  }
}

TEST(BatchStreamTest, ContinuesWhereAnotherStreamStopped) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  const auto dataset = MustOpenNumbered(dir.Path("d"));
  BatchStream whole(dataset.get(), 4, /*seed=*/3, {});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(whole.Next().ok());
  const DataPosition position = whole.position();
  BatchStream rest(dataset.get(), 4, /*seed=*/3, position);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Drawn(*rest.Next()), Drawn(*whole.Next()));
    EXPECT_EQ(rest.position(), whole.position());
  }
}

// The rows of a batch in the order they were drawn, as label lists.
std::vector<std::vector<int64_t>> RowsDrawn(const PackedBatch& batch,
                                            int num_drawn) {
  std::vector<std::vector<int64_t>> rows(num_drawn);
  for (int row = 0; row < batch.num_rows(); ++row) {
    for (int t = 0; t < batch.lengths[row]; ++t) {
      rows[batch.source[row]].push_back(
          batch.labels[batch.step_begin[t] + row]);
    }
  }
  return rows;
}

TEST(BatchStreamTest, PartsAreTheChosenRowsInTheOrderWanted) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  const auto dataset = MustOpenNumbered(dir.Path("d"));
  const std::vector<std::vector<int32_t>> choice = {{4, 0}, {}, {1, 2}};
  for (int readers : {1, 3}) {
    BatchStream whole(dataset.get(), 5, /*seed=*/3, {});
    BatchStream parts(dataset.get(), 5, /*seed=*/3, {},
                      {.choose = [&](const DrawnBatch&) { return choice; },
                       .readers = readers});
    for (int i = 0; i < 20; ++i) {
      const auto batch = whole.Next();
      ASSERT_TRUE(batch.ok());
      const std::vector<std::vector<int64_t>> rows = RowsDrawn(*batch, 5);
      const DrawnBatch& plan = parts.NextPlan();
      EXPECT_EQ(plan.parts, choice);
      EXPECT_EQ(plan.num_events(), batch->num_events());
      EXPECT_EQ(parts.position(), whole.position());
      for (const std::vector<int32_t>& chosen : choice) {
        const auto part = parts.NextPart();
        ASSERT_TRUE(part.ok());
        EXPECT_EQ(part->num_rows(), static_cast<int>(chosen.size()));
        const std::vector<std::vector<int64_t>> read = RowsDrawn(*part, 5);
        for (const int32_t row : chosen) {
          EXPECT_EQ(read[row], rows[row]);
          EXPECT_EQ(plan.lengths[row], static_cast<int>(rows[row].size()));
        }
      }
    }
  }
}

TEST(BatchStreamTest, PartsThatAreNotTakenAreDropped) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 7));
  const auto dataset = MustOpenNumbered(dir.Path("d"));
  const BatchStreamOptions options = {
      .choose =
          [](const DrawnBatch&) {
            return std::vector<std::vector<int32_t>>{{0}, {1}, {2}};
          },
      .readers = 2};
  BatchStream all(dataset.get(), 3, /*seed=*/9, {}, options);
  BatchStream some(dataset.get(), 3, /*seed=*/9, {}, options);
  for (int i = 0; i < 12; ++i) {
    all.NextPlan();
    some.NextPlan();
    for (int part = 0; part < 3; ++part) {
      const auto a = all.NextPart();
      ASSERT_TRUE(a.ok());
      if (part > i % 4 - 1) continue;
      const auto b = some.NextPart();
      ASSERT_TRUE(b.ok());
      EXPECT_EQ(a->labels, b->labels);
      EXPECT_EQ(a->source, b->source);
    }
  }
}

TEST(BatchStreamTest, AnyNumberOfReadersDeliversInOrder) {
  const ScratchDir dir;
  MustWriteRecords(dir.Path("d"), NumberedRange(0, 50));
  const auto dataset = MustOpenNumbered(dir.Path("d"));
  BatchStream one(dataset.get(), 4, /*seed=*/3, {}, {.readers = 1});
  BatchStream many(dataset.get(), 4, /*seed=*/3, {}, {.readers = 8});
  for (int i = 0; i < 200; ++i) {
    const auto a = one.Next();
    const auto b = many.Next();
    ASSERT_TRUE(a.ok() && b.ok());
    ASSERT_EQ(a->labels, b->labels);
    ASSERT_EQ(a->source, b->source);
    ASSERT_EQ(one.position(), many.position());
  }
}

}  // namespace
}  // namespace continuo
