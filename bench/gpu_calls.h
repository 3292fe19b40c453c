// SPDX-License-Identifier: Apache-2.0

// How often a program calls the CUDA runtime: bench/gpu_calls.cc stands before
// the functions counted here in every program that it is linked into.

#ifndef CONTINUO_BENCH_GPU_CALLS_H_
#define CONTINUO_BENCH_GPU_CALLS_H_

#include <cstdint>

namespace continuo::bench {

struct GpuCalls {
  int64_t waits = 0;   // of the host, for a stream
  int64_t copies = 0;  // enqueued by the host
  int64_t graphs = 0;  // launched
};

// The calls since the last time.
GpuCalls TakeGpuCalls();

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_GPU_CALLS_H_
