// SPDX-License-Identifier: Apache-2.0

// How long a row of a ragged batch is, in kernels.

#ifndef CONTINUO_KERNELS_COMMON_ROW_STEPS_CUH_
#define CONTINUO_KERNELS_COMMON_ROW_STEPS_CUH_

#include <cstdint>

namespace continuo::gpu {

// The number of steps at which row `row` has an event; `batch_sizes` descends.
__device__ inline int RowSteps(const int32_t* batch_sizes, int steps, int row) {
  int low = 0;
  int high = steps;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (batch_sizes[middle] > row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_COMMON_ROW_STEPS_CUH_
