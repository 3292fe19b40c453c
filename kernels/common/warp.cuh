// SPDX-License-Identifier: Apache-2.0

// What the threads of one warp do together.

#ifndef CONTINUO_KERNELS_COMMON_WARP_CUH_
#define CONTINUO_KERNELS_COMMON_WARP_CUH_

namespace continuo::gpu {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

// The sum of the lanes' values in one order; every lane gets the same bits.
template <typename T>
__device__ T WarpSum(T sum) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    sum += __shfl_xor_sync(kAllLanes, sum, offset);
  }
  return sum;
}

// The largest value of the lanes, of those that are numbers.
__device__ inline float WarpMax(float x) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, offset));
  }
  return x;
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_COMMON_WARP_CUH_
