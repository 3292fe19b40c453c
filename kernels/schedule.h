// The shape of a ragged batch, as the recurrent operations take it.

#ifndef CONTINUO_KERNELS_SCHEDULE_H_
#define CONTINUO_KERNELS_SCHEDULE_H_

#include "runtime/tensor.h"

namespace continuo {

// Rows are sorted by length; step t works on rows [0, alive[t]), whose events
// lie at [step_begin[t], step_begin[t] + alive[t]) of arrays with E events.
struct Schedule {
  TensorView alive;       // [T] int32, descending, each >= 1
  TensorView step_begin;  // [T + 1] int32, sums of alive

  int64_t steps() const { return alive.shape[0]; }
};

}  // namespace continuo

#endif  // CONTINUO_KERNELS_SCHEDULE_H_
