// SPDX-License-Identifier: Apache-2.0

// What the CUDA sources of the operations share: launching, and reading the
// two types that arrays of gates come in.

#ifndef CONTINUO_KERNELS_COMMON_LAUNCH_CUH_
#define CONTINUO_KERNELS_COMMON_LAUNCH_CUH_

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/base/ceil_div.h"
#include "runtime/device/cuda_status.h"
#include "runtime/device/cuda_stream.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo::gpu {

// Blocks for a grid-stride loop over `count` elements: enough to fill any
// device, few enough that each does some work.
inline unsigned GridSize(int64_t count, int threads) {
  constexpr int64_t kMaxBlocks = 2048;
  const int64_t blocks = CeilDiv(count, threads);
  return static_cast<unsigned>(blocks < kMaxBlocks ? blocks : kMaxBlocks);
}

// The elements of an array of gates in the type that kernels compute with.
template <typename T>
T* Data(const TensorView& view) {
  return view.data<T>();
}
template <>
inline __nv_bfloat16* Data<__nv_bfloat16>(const TensorView& view) {
  return reinterpret_cast<__nv_bfloat16*>(view.data<Bfloat16>());
}

__device__ inline float ToFloat(float x) { return x; }
__device__ inline float ToFloat(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T>
__device__ inline T FromFloat(float x);
template <>
__device__ inline float FromFloat<float>(float x) {
  return x;
}
template <>
__device__ inline __nv_bfloat16 FromFloat<__nv_bfloat16>(float x) {
  return __float2bfloat16(x);
}

}  // namespace continuo::gpu

// Returns from the enclosing function if the launch before it was refused.
#define CONTINUO_RETURN_IF_LAUNCH_FAILED() \
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaGetLastError())

#endif  // CONTINUO_KERNELS_COMMON_LAUNCH_CUH_
