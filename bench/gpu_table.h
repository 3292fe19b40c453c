// SPDX-License-Identifier: Apache-2.0

// bench_kernels --device=cuda: what each operation costs by count.

#ifndef CONTINUO_BENCH_GPU_TABLE_H_
#define CONTINUO_BENCH_GPU_TABLE_H_

#include "absl/status/status.h"
#include "bench/gpu_cases.h"
#include "runtime/device/device.h"

namespace continuo::bench {

// Prints a row for each case whose name contains `filter`: launches, product
// FLOPs, bytes and the time that they bound it to; beside them its time on this
// device, or, under gpusim with GPUSIM_STATS set, the simulator's counters:
// bytes loaded, stored, distinct and of library calls; requested bytes in those
// of the sectors touched; FLOPs of tensor instructions in the products' FLOPs
// that no library did; bank-conflict cycles in shared-memory wavefronts;
// atomics.
absl::Status PrintGpuTable(const Device& device, const ComputeOptions& options,
                           const GpuSizes& sizes, absl::string_view filter);

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_GPU_TABLE_H_
