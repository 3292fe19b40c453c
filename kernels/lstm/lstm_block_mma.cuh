// SPDX-License-Identifier: Apache-2.0

// The product of lstm_block_product.cuh on tensor cores, in bf16 or tf32: by
// mma.sync, of which W is the operand of 16 rows and the batch that of 8, so
// that 8 rows waste nothing.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_BLOCK_MMA_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_BLOCK_MMA_CUH_

#include <cstdint>

#include "kernels/lstm/lstm_block_weights.cuh"

namespace continuo::gpu {

template <typename Layout>
class TensorProduct {
 public:
  __device__ void Load(const float* matrix, int h, char* shared) {
    const BlockMatrix<Layout> from = {matrix, h};
    const int unit = threadIdx.x / 32 * 16 + 2 * Group();
    weights_.Load(h, shared, [&](int round, uint32_t(&to)[kNumbers]) {
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
        const auto pair = [&](int k) {
          return from.Pair(16 * round + k, tile, unit);
        };
        if constexpr (kNarrow) {
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            const float2 low = pair(2 * Quad() + 8 * half);
            const float2 high = pair(2 * Quad() + 8 * half + 1);
            to[4 * tile + 2 * half] = ToBf16Pair(low.x, high.x);
            to[4 * tile + 2 * half + 1] = ToBf16Pair(low.y, high.y);
          }
        } else {
          // The two steps of a round take four consecutive numbers of the
          // depth from a lane, which reads x 16 bytes at a time.
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const float2 units = pair(4 * Quad() + i);
            to[8 * tile + 2 * i] = ToTf32(units.x);
            to[8 * tile + 2 * i + 1] = ToTf32(units.y);
          }
        }
      }
    });
  }

  // sums[tile]: unit 2g of both rows, then unit 2g + 1. For whole warps.
  __device__ void Multiply(const char* x,
                           float (&sums)[Layout::kTiles][4]) const {
    // Independent chains hide the latency of the tensor cores.
    float chains[kChains][kTiles][4] = {};
#pragma unroll
    for (int round = 0; round < Layout::kRounds; round += 2) {
      AddRounds(x, round, chains);
    }
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        sums[tile][i] = chains[0][tile][i];
#pragma unroll
        for (int chain = 1; chain < kChains; ++chain) {
          sums[tile][i] += chains[chain][tile][i];
        }
      }
    }
  }

 private:
  static constexpr bool kNarrow = Layout::kNarrow;
  static constexpr int kTiles = Layout::kTiles;
  static constexpr int kNumbers = Layout::kNumbers;
  static constexpr int kChains = 4 / kTiles;
  using Operand = BlockOperand<Layout>;
  using Chains = float[kChains][kTiles][4];

  static __device__ int Group() { return threadIdx.x % 32 / 4; }
  static __device__ int Quad() { return threadIdx.x % 4; }

  // Rounds `round` and `round` + 1.
  __device__ void AddRounds(const char* x, int round, Chains& chains) const {
    if constexpr (kNarrow) {
      uint32_t b[4];
      const int lane = threadIdx.x % 32;
      LoadMatrices(b, x + Operand::Offset(lane % 8, 16 * round + lane / 8 * 8));
#pragma unroll
      for (int part = 0; part < 2; ++part) {
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          MmaBf16(chains[(round + part) % kChains][tile],
                  weights_.held(round + part) + 4 * tile, b[2 * part],
                  b[2 * part + 1]);
        }
      }
    } else {
#pragma unroll
      for (int part = 0; part < 2; ++part) {
        const uint4 b = *reinterpret_cast<const uint4*>(
            x + Operand::Offset(Group(), 16 * (round + part) + 4 * Quad()));
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          AddTf32(round + part, tile, b, chains);
        }
      }
    }
  }

  __device__ void AddTf32(int round, int tile, uint4 b, Chains& chains) const {
    uint32_t a[8];
    if (round < Layout::kRegisterRounds) {
#pragma unroll
      for (int i = 0; i < 8; ++i) a[i] = weights_.held(round)[8 * tile + i];
    } else {
      weights_.Read(round, 2 * tile, a);
    }
    MmaTf32(chains[2 * round % kChains][tile], a, b.x, b.y);
    MmaTf32(chains[(2 * round + 1) % kChains][tile], a + 4, b.z, b.w);
  }

  BlockWeights<Layout> weights_;
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_MMA_CUH_
