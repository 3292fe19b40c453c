// SPDX-License-Identifier: Apache-2.0

// Micro-batches: a batch cut into parts whose gradients are computed one by
// one, by one process or by several.

#ifndef CONTINUO_DATA_RECORDS_MICRO_BATCHES_H_
#define CONTINUO_DATA_RECORDS_MICRO_BATCHES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/records/batch.h"
#include "data/records/batch_stream.h"

namespace continuo {

// The rows of each of `count` micro-batches, as positions in `lengths`, longest
// first and equal lengths in their order; every row once. Row counts differ by
// at most one and event counts by at most the longest row. A function of its
// arguments alone: whoever computes a micro-batch, it is the same. With fewer
// rows than micro-batches some have none.
std::vector<std::vector<int32_t>> CutBatch(absl::Span<const int32_t> lengths,
                                           int count);

// The most rows and events that one of `count` micro-batches has, of batches of
// `rows` rows of at most `longest` events and at most `events` in all.
int MaxMicroBatchRows(int rows, int count);
int64_t MaxMicroBatchEvents(int64_t events, int64_t longest, int count);

// Micro-batches [begin, end) of `count`, which one process computes.
struct MicroBatchRange {
  int count = 1;
  int begin = 0;
  int end = 1;
  int size() const { return end - begin; }
};

// Those of process `rank` of `size`, one after another: all that any number of
// processes compute is every micro-batch once.
MicroBatchRange RangeOfRank(int count, int rank, int size);

// A process's part of a batch.
struct BatchPart {
  std::vector<PackedBatch> micro_batches;  // of a range; may have no rows.
                                           // `source` is that in the batch
  int64_t num_events = 0;                  // of the whole batch
};

// A stream's options for a range of each batch.
BatchStreamOptions StreamOfPart(const MicroBatchRange& range);

// The next batch of such a stream.
absl::StatusOr<BatchPart> ReadPart(BatchStream* stream);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_MICRO_BATCHES_H_
