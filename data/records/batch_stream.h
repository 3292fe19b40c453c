// SPDX-License-Identifier: Apache-2.0

// The shuffled stream of training batches.

#ifndef CONTINUO_DATA_RECORDS_BATCH_STREAM_H_
#define CONTINUO_DATA_RECORDS_BATCH_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "data/records/batch.h"
#include "data/records/dataset.h"

namespace continuo {

// Where a training stands in its data: `index` examples of the order of epoch
// `epoch` have been drawn.
struct DataPosition {
  int64_t epoch = 0;
  int64_t index = 0;
};

inline bool operator==(const DataPosition& a, const DataPosition& b) {
  return a.epoch == b.epoch && a.index == b.index;
}

// The order of epoch `epoch`: a permutation of [0, num_examples) that depends
// on (seed, epoch) alone.
std::vector<int64_t> EpochOrder(int64_t num_examples, uint64_t seed,
                                int64_t epoch);

// A batch before it is read: what follows from the order and the index of
// lengths, and so what every process of a job knows of the batches of all.
struct DrawnBatch {
  std::vector<int64_t> examples;  // in the order of drawing
  std::vector<int32_t> lengths;   // [examples]
  DataPosition after;             // of the data, once it is drawn
  // What is read of it: the places in `examples` of the rows of each part.
  std::vector<std::vector<int32_t>> parts;

  int64_t num_events() const;
};

struct BatchStreamOptions {
  // The parts of a batch that are wanted, such as the micro-batches of one
  // process: lists of places in `examples`. A pure function, called by threads
  // of the stream. Nothing else is read. Null: all rows as one part.
  std::function<std::vector<std::vector<int32_t>>(const DrawnBatch&)> choose =
      nullptr;
  // Threads that read ahead; 0 = as many as the CPUs suggest. They
  // change nothing that is read, nor its order.
  int readers = 0;
};

// An endless stream of shuffled batches of exactly `batch_size` examples;
// those left over at the end of an epoch go before the next epoch's. What is
// read depends on seed, position and choice alone. Memory holds the parts that
// are being read, and two more.
class BatchStream {
 public:
  // `dataset` must outlive the stream.
  BatchStream(const Dataset* dataset, int batch_size, uint64_t seed,
              const DataPosition& start,
              const BatchStreamOptions& options = {});
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  // Turns to the next batch and moves position() past it. Parts of the batch
  // before that were not taken are dropped.
  const DrawnBatch& NextPlan();

  // The next part of the batch, in the order of plan.parts, once for each.
  // `source` of a row is its place among all rows of the batch, whatever part
  // it is in. An empty part is a batch without rows.
  absl::StatusOr<PackedBatch> NextPart();

  // NextPlan and its only part, where all rows are one.
  absl::StatusOr<PackedBatch> Next();

  // The position after the last batch that was begun.
  const DataPosition& position() const;

  // The share of the read-ahead queue that is filled, in [0, 1].
  double fill() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_BATCH_STREAM_H_
