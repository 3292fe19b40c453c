// SPDX-License-Identifier: Apache-2.0

// What the two passes of the block-persistent LSTM share beside the product:
// the pairs of units that a thread owns, and inputs that arrive ahead of time.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_BLOCK_CELL_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_BLOCK_CELL_CUH_

#include <type_traits>

#include "kernels/common/launch.cuh"
#include "kernels/lstm/lstm_block_product.cuh"
#include "kernels/lstm/lstm_cell.cuh"

namespace continuo::gpu {

template <bool kNarrow>
using GateOf = std::conditional_t<kNarrow, __nv_bfloat16, float>;

// Pairs of elements, as one number: the compiler takes vectors of floats apart.
__device__ inline float2 LoadPair(const float* from) {
  const uint64_t bits = *reinterpret_cast<const uint64_t*>(from);
  return make_float2(__uint_as_float(static_cast<uint32_t>(bits)),
                     __uint_as_float(static_cast<uint32_t>(bits >> 32)));
}
__device__ inline float2 LoadPair(const __nv_bfloat16* from) {
  const uint32_t bits = *reinterpret_cast<const uint32_t*>(from);
  return make_float2(__uint_as_float(bits << 16),
                     __uint_as_float(bits & 0xffff0000u));
}
__device__ inline void StorePair(float* to, float first, float second) {
  *reinterpret_cast<uint64_t*>(to) =
      uint64_t{__float_as_uint(second)} << 32 | __float_as_uint(first);
}
__device__ inline void StorePair(__nv_bfloat16* to, float first, float second) {
  *reinterpret_cast<uint32_t*>(to) = ToBf16Pair(first, second);
}

// A step of a block's share: its rows, not positive outside the layout, and
// its first event.
struct BlockStep {
  int rows = 0;
  int begin = 0;
};
__device__ inline BlockStep ReadStep(const int32_t* batch_sizes,
                                     const int32_t* step_begin, int steps,
                                     int t, int first_row) {
  if (t < 0 || t >= steps) return {};
  return {batch_sizes[t] - first_row, step_begin[t] + first_row};
}

// One thread's pairs of a step's inputs, in shared memory as [pair][thread]:
// no other thread reads them, so waiting for the copies is enough.
template <typename T, int kThreads>
__device__ T* PairSlot(char* inputs, int pair) {
  return reinterpret_cast<T*>(inputs) + 2 * (pair * kThreads + threadIdx.x);
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_CELL_CUH_
