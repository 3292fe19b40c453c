// SPDX-License-Identifier: Apache-2.0

// The product of lstm_block_product.cuh in exact fp32. The lanes that own the
// units of kPairs neighbouring pairs sum a slice of the depth each, for all
// columns of these units and all rows, and then exchange: a number of x serves
// 8 multiply-adds for each time it is read.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_BLOCK_SIMT_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_BLOCK_SIMT_CUH_

#include <cstdint>

#include "kernels/lstm/lstm_block_weights.cuh"

namespace continuo::gpu {

template <typename Layout>
class SimtProduct {
  static_assert(Layout::kThreadRows == 1);

 public:
  __device__ void Load(const float* matrix, int h, char* shared) {
    const BlockMatrix<Layout> from = {matrix, h};
    weights_.Load(h, shared, [&](int round, uint32_t(&to)[kNumbers]) {
#pragma unroll
      for (int pair = 0; pair < kColumns / 2; ++pair) {
        const int tile = pair / kPairs;
        const int unit = threadIdx.x / 32 * 16 +
                         2 * (Group() / kPairs * kPairs + pair % kPairs);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const float2 units = from.Pair(Begin(round) + i, tile, unit);
          to[8 * pair + 2 * i] = __float_as_uint(units.x);
          to[8 * pair + 2 * i + 1] = __float_as_uint(units.y);
        }
      }
    });
  }

  // sums[tile]: unit 2g and unit 2g + 1 of the thread's row. For whole warps.
  __device__ void Multiply(const char* x,
                           float (&sums)[Layout::kTiles][2]) const {
    float slice[kColumns][kRows] = {};
#pragma unroll
    for (int round = 0; round < Layout::kRegisterRounds; ++round) {
      AddRound(x, round, weights_.held(round), slice);
    }
#pragma unroll 1
    for (int round = Layout::kRegisterRounds; round < Layout::kRounds;
         ++round) {
      uint32_t numbers[kNumbers];
      weights_.Read(round, 0, numbers);
      AddRound(x, round, numbers, slice);
    }
#pragma unroll
    for (int column = 0; column < 2 * kTiles; ++column) {
      float rows[kRows];
#pragma unroll
      for (int row = 0; row < kRows; ++row) {
        float pairs[kPairs];
#pragma unroll
        for (int pair = 0; pair < kPairs; ++pair) {
          pairs[pair] =
              slice[2 * (column / 2 * kPairs + pair) + column % 2][row];
        }
        rows[row] = Keep<4>(pairs);
      }
      sums[column / 2][column % 2] = Keep<1>(rows);
    }
  }

 private:
  static constexpr int kTiles = Layout::kTiles;
  static constexpr int kPairs = Layout::kPairs;
  static constexpr int kNumbers = Layout::kNumbers;
  static constexpr int kRows = Layout::kRows;
  static constexpr int kColumns = 2 * kTiles * kPairs;
  using Operand = BlockOperand<Layout>;

  static __device__ int Group() { return threadIdx.x % 32 / 4; }
  static __device__ int Quad() { return threadIdx.x % 4; }
  // First of the four numbers of the depth that the lane takes in a round.
  static __device__ int Begin(int round) {
    return Layout::kRoundDepth * round + 4 * (Quad() + Group() % kPairs * 4);
  }

  static __device__ void AddRound(const char* x, int round,
                                  const uint32_t (&w)[kNumbers],
                                  float (&slice)[kColumns][kRows]) {
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
      const float4 four = *reinterpret_cast<const float4*>(
          x + Operand::Offset(row, Begin(round)));
      const float k[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int column = 0; column < kColumns; ++column) {
          const uint32_t weight = w[column / 2 * 8 + 2 * i + column % 2];
          slice[column][row] =
              fmaf(k[i], __uint_as_float(weight), slice[column][row]);
        }
      }
    }
  }

  // Adds the numbers of lanes that differ in their index, lane / kLane modulo
  // kCount, and keeps for each lane the sum of its own index. The order is the
  // same for all: lanes that are furthest apart first.
  template <int kLane, int kCount>
  static __device__ float Keep(float (&numbers)[kCount]) {
#pragma unroll
    for (int width = kCount / 2; width > 0; width /= 2) {
      const bool upper = (threadIdx.x / kLane & width) != 0;
#pragma unroll
      for (int i = 0; i < width; ++i) {
        const float a = numbers[i], b = numbers[i + width];
        numbers[i] = (upper ? b : a) +
                     __shfl_xor_sync(0xffffffffu, upper ? a : b, width * kLane);
      }
    }
    return numbers[0];
  }

  BlockWeights<Layout> weights_;
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_SIMT_CUH_
