// SPDX-License-Identifier: Apache-2.0

// Bound by memory: one read of the partial sums. A thread adds one column, with
// eight loads in flight.

#include "kernels/common/launch.cuh"
#include "kernels/gemm/reduce_partials.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

__global__ void ReducePartialsKernel(const float* partial, int64_t chunks,
                                     ReduceTarget first, ReduceTarget second) {
  const int64_t each = first.size + second.size;
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= each) return;
  float* to = i < first.size ? first.to + i : second.to + (i - first.size);
  float sum = 0;
#pragma unroll 8
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    sum += partial[chunk * each + i];
  }
  *to += sum;
}

}  // namespace

absl::Status ReducePartials(const Stream& stream, const float* partial,
                            int64_t chunks, const ReduceTarget& first,
                            const ReduceTarget& second) {
  const int64_t each = first.size + second.size;
  if (each == 0) return absl::OkStatus();
  ReducePartialsKernel<<<static_cast<unsigned>(CeilDiv(each, kThreads)),
                         kThreads, 0, stream.cuda->stream()>>>(partial, chunks,
                                                               first, second);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
