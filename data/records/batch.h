// SPDX-License-Identifier: Apache-2.0

// PackedBatch: a ragged batch without padding.

#ifndef CONTINUO_DATA_RECORDS_BATCH_H_
#define CONTINUO_DATA_RECORDS_BATCH_H_

#include <cstdint>
#include <vector>

#include "data/records/sparse_rows.h"

namespace continuo {

// Rows (sequences) are sorted by length, longest first, so that the rows alive
// at step t are the first batch_sizes[t] ones. Events lie step by step: event
// (t, row) has the packed position step_begin[t] + row, and E = sum of lengths
// = step_begin[T] events in all. Nothing else is stored, computed or counted.
struct PackedBatch {
  std::vector<int32_t> lengths;      // [N], descending, each >= 1
  std::vector<int32_t> source;       // [N], position in the order drawn
  std::vector<int32_t> batch_sizes;  // [T], rows alive at step t
  std::vector<int32_t> step_begin;   // [T + 1]
  SparseRows inputs;                 // E rows in packed order
  std::vector<int64_t> labels;       // [E * heads] in packed order
  int heads = 1;

  int num_rows() const { return static_cast<int>(lengths.size()); }
  int num_steps() const { return static_cast<int>(batch_sizes.size()); }
  int num_events() const { return step_begin.empty() ? 0 : step_begin.back(); }
};

// Packs examples (each with at least one row, all of one width and number of
// heads). Equal lengths keep their order.
PackedBatch PackBatch(const std::vector<const EncodedSequence*>& examples,
                      int heads);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_BATCH_H_
