// What the two passes of the block-persistent LSTM share beside the product:
// the pairs of units that a thread owns, and inputs that arrive ahead of time.

#ifndef CONTINUO_KERNELS_LSTM_BLOCK_CELL_CUH_
#define CONTINUO_KERNELS_LSTM_BLOCK_CELL_CUH_

#include <type_traits>

#include "kernels/launch.cuh"
#include "kernels/lstm_block_product.cuh"
#include "kernels/lstm_cell.cuh"

namespace continuo::gpu {

template <Precision kPrecision>
using GateOf =
    std::conditional_t<kPrecision == Precision::kBf16, __nv_bfloat16, float>;

__device__ inline float2 LoadPair(const float* from) {
  return *reinterpret_cast<const float2*>(from);
}
__device__ inline float2 LoadPair(const __nv_bfloat16* from) {
  return __bfloat1622float2(*reinterpret_cast<const __nv_bfloat162*>(from));
}
__device__ inline void StorePair(float* to, float first, float second) {
  *reinterpret_cast<float2*>(to) = make_float2(first, second);
}
__device__ inline void StorePair(__nv_bfloat16* to, float first, float second) {
  *reinterpret_cast<__nv_bfloat162*>(to) = __floats2bfloat162_rn(first, second);
}

// Rows of a step in a block's share, and the step's first event.
struct BlockStep {
  int rows = 0;
  int64_t begin = 0;
};
__device__ inline BlockStep ReadStep(const int32_t* alive,
                                     const int32_t* step_begin, int t,
                                     int first_row) {
  return {alive[t] - first_row, step_begin[t]};
}

// One thread's pairs of a step's inputs, in shared memory as [pair][thread]:
// no other thread reads them, so waiting for the copies is enough.
template <typename T, int kThreads>
__device__ T* PairSlot(char* inputs, int pair) {
  return reinterpret_cast<T*>(inputs) + 2 * (pair * kThreads + threadIdx.x);
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_BLOCK_CELL_CUH_
