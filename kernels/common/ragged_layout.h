// SPDX-License-Identifier: Apache-2.0

// The shape of a ragged batch, as the recurrent operations take it.

#ifndef CONTINUO_KERNELS_COMMON_RAGGED_LAYOUT_H_
#define CONTINUO_KERNELS_COMMON_RAGGED_LAYOUT_H_

#include "runtime/device/tensor.h"

namespace continuo {

// Rows are sorted by length; step t works on rows [0, batch_sizes[t]), whose
// events lie at [step_begin[t], step_begin[t] + batch_sizes[t]) of arrays with
// E events.
struct RaggedLayout {
  TensorView batch_sizes;  // [T] int32, descending, each >= 1
  TensorView step_begin;   // [T + 1] int32, sums of batch_sizes
  // Rows at the first step. GPU forms need it (on the CPU it is
  // batch_sizes[0]).
  int64_t rows = 0;
  // The same two arrays in host memory, for GPU forms that launch once a step.
  // Not given where the work is recorded to be run with other layouts of the
  // same T (runtime/device/graph.h); `batch_sizes` of a shorter one then ends
  // in zeros, and `rows` is the most there can be.
  const int32_t* host_batch_sizes = nullptr;
  const int32_t* host_step_begin = nullptr;

  int64_t steps() const { return batch_sizes.shape[0]; }
};

// The rows that have an event at a step, and the first of these events.
struct StepRows {
  int64_t rows;
  int64_t begin;
};

// Those of step `t` as the host knows them. Without the host arrays, a batch
// has one step.
inline StepRows StepRowsOf(const RaggedLayout& ragged, int64_t t) {
  if (ragged.host_batch_sizes == nullptr) return {t == 0 ? ragged.rows : 0, 0};
  return {ragged.host_batch_sizes[t], ragged.host_step_begin[t]};
}

}  // namespace continuo

#endif  // CONTINUO_KERNELS_COMMON_RAGGED_LAYOUT_H_
