// SPDX-License-Identifier: Apache-2.0

// What the two passes of the block-persistent LSTM share beside the product:
// the rows and the pair of units that a thread owns, the block's parts of
// shared memory, and inputs that arrive ahead of time.

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

// A thread of a block: it owns kThreadRows rows of the block, a pair of units.
template <typename Layout>
struct BlockThread {
  char* const shared;
  const int n;          // units of the layer
  const int first_row;  // of the block
  const int row0;       // of the thread, among those of the block
  const int unit;       // the first of the pair
  const bool real;      // not units that pad

  __device__ BlockThread(int units, char* memory)
      : shared(memory),
        n(units),
        first_row(static_cast<int>(blockIdx.x) * Layout::kRows),
        row0(threadIdx.x % 4 * Layout::kThreadRows),
        unit(threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 * 2),
        real(unit < n) {}

  // Whether the thread's row r is alive at a step, and its units are real.
  __device__ bool Owns(int r, const BlockStep& step) const {
    return real && row0 + r < step.rows;
  }
  // The operands of a step's product; those of the step before are elsewhere.
  __device__ char* Operands(int t) const {
    return shared + Layout::kWeightBytes + t % 2 * Layout::kOperandBytes;
  }
  // Where a step's inputs arrive.
  __device__ char* Inputs(int t) const {
    return shared + Layout::kWeightBytes + 2 * Layout::kOperandBytes +
           t % Layout::kStages * Layout::kInputBytes;
  }
  template <typename Params>
  __device__ BlockStep Read(const Params& params, int t) const {
    return ReadStep(params.batch_sizes, params.step_begin, params.steps, t,
                    first_row);
  }
  // Loads the product's weights and sets the operands to zero. Threads meet.
  __device__ void Prepare(const float* weights,
                          BlockProduct<Layout>* product) const {
    product->Load(weights, n, shared);
    for (int i = threadIdx.x; i < 2 * Layout::kOperandBytes / 16;
         i += Layout::kThreads) {
      reinterpret_cast<uint4*>(Operands(0))[i] = make_uint4(0, 0, 0, 0);
    }
    __syncthreads();
  }
  // Stores the gates, or dz, of a pair of cells.
  template <typename T>
  __device__ void StoreGates(T* gates, int64_t event, const Gates& first,
                             const Gates& second) const {
    T* const to = gates + event * 4 * n + unit;
    StorePair(to, first.i, second.i);
    StorePair(to + n, first.j, second.j);
    StorePair(to + 2 * n, first.f, second.f);
    StorePair(to + 3 * n, first.o, second.o);
  }
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_CELL_CUH_
