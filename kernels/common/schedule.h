// The shape of a ragged batch, as the recurrent operations take it.

#ifndef CONTINUO_KERNELS_COMMON_SCHEDULE_H_
#define CONTINUO_KERNELS_COMMON_SCHEDULE_H_

#include "runtime/device/tensor.h"

namespace continuo {

// Rows are sorted by length; step t works on rows [0, alive[t]), whose events
// lie at [step_begin[t], step_begin[t] + alive[t]) of arrays with E events.
struct Schedule {
  TensorView alive;       // [T] int32, descending, each >= 1
  TensorView step_begin;  // [T + 1] int32, sums of alive
  // Rows at the first step. GPU forms need it (on the CPU it is alive[0]).
  int64_t rows = 0;
  // The same two arrays in host memory, for GPU forms that launch once a step.
  // Not given where the work is recorded to be run with other schedules of the
  // same T (runtime/device/graph.h); `alive` of a shorter one then ends in
  // zeros, and `rows` is the most there can be.
  const int32_t* host_alive = nullptr;
  const int32_t* host_step_begin = nullptr;

  int64_t steps() const { return alive.shape[0]; }
};

}  // namespace continuo

#endif  // CONTINUO_KERNELS_COMMON_SCHEDULE_H_
