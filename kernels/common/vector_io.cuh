// SPDX-License-Identifier: Apache-2.0

// Moving four neighbouring elements at a time: one 16-byte access of floats,
// one 8-byte access of bfloat16.

#ifndef CONTINUO_KERNELS_COMMON_VECTOR_IO_CUH_
#define CONTINUO_KERNELS_COMMON_VECTOR_IO_CUH_

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/common/launch.cuh"

namespace continuo::gpu {

// Whether rows of n elements can be read by fours from `data` on.
inline bool ByFours(const void* data, int64_t n) {
  return n % 4 == 0 && reinterpret_cast<uintptr_t>(data) % 16 == 0;
}

__device__ inline float4 Load4(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}
__device__ inline float4 Load4(const __nv_bfloat16* from) {
  const uint2 bits = *reinterpret_cast<const uint2*>(from);
  return {__uint_as_float(bits.x << 16), __uint_as_float(bits.x & 0xffff0000u),
          __uint_as_float(bits.y << 16), __uint_as_float(bits.y & 0xffff0000u)};
}

// An assignment may come out as several stores; these do not.
__device__ inline void Store4(float* to, float4 x) {
  __stwb(reinterpret_cast<float4*>(to), x);
}
__device__ inline void Store4(__nv_bfloat16* to, float4 x) {
  const __nv_bfloat162 pairs[2] = {__floats2bfloat162_rn(x.x, x.y),
                                   __floats2bfloat162_rn(x.z, x.w)};
  __stwb(reinterpret_cast<uint2*>(to), *reinterpret_cast<const uint2*>(pairs));
}

__device__ inline float Add(float a, float b) { return a + b; }
__device__ inline float4 Add(float4 a, float4 b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_COMMON_VECTOR_IO_CUH_
