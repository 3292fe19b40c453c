// SPDX-License-Identifier: Apache-2.0

// Parallel loops of the CPU operations.

#ifndef CONTINUO_KERNELS_COMMON_PARALLEL_FOR_H_
#define CONTINUO_KERNELS_COMMON_PARALLEL_FOR_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "runtime/device/device.h"

namespace continuo::cpu {

// Calls fn(task, worker) for every task in [0, num_tasks) on the stream's
// threads, worker in [0, NumWorkers(stream)). Denormal numbers are flushed to
// zero inside: they come up as activations and gradients die out, cost a
// hundred times a normal operation, and lie far below every tolerance.
void ParallelFor(const Stream& stream, int64_t num_tasks,
                 absl::FunctionRef<void(int64_t, int)> fn);

int NumWorkers(const Stream& stream);

}  // namespace continuo::cpu

#endif  // CONTINUO_KERNELS_COMMON_PARALLEL_FOR_H_
