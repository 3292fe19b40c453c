// The recurrent product of a step of the block-persistent LSTM.
//
// out [rows, columns] = x [rows, kDepth] W, with x in shared memory and W on
// chip. A warp owns 16 units. Lane (g, t) = (lane / 4, lane % 4) gets the sums
// of the columns of units 2g and 2g + 1 for kThreadRows rows from
// t * kThreadRows on, in one column tile (backward) or four, one a gate
// (forward): the gates of a cell meet in one thread.

#ifndef CONTINUO_KERNELS_LSTM_BLOCK_PRODUCT_CUH_
#define CONTINUO_KERNELS_LSTM_BLOCK_PRODUCT_CUH_

#include <cstdint>
#include <type_traits>

#include "kernels/lstm_block_weights.cuh"

namespace continuo::gpu {

// By mma.sync, in bf16 or tf32: W is the operand of 16 rows, the batch that of
// 8, so that 8 rows waste nothing.
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

// In exact fp32. The lanes that own the units of kPairs neighbouring pairs sum
// a slice of the depth each, for all columns of these units and all rows, and
// then exchange: a number of x serves 8 (forward) or 4 (backward) multiply-adds
// for each time it is read.
template <typename Layout>
class ExactProduct {
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

  // sums[tile]: unit 2g of the thread's rows, then unit 2g + 1. For whole
  // warps.
  __device__ void Multiply(
      const char* x,
      float (&sums)[Layout::kTiles][2 * Layout::kThreadRows]) const {
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
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int unit = 0; unit < 2; ++unit) {
        float own[kRows];
        KeepPair(slice, 2 * tile * kPairs + unit, own);
        float kept[kThreadRows];
        KeepRows(own, kept);
#pragma unroll
        for (int row = 0; row < kThreadRows; ++row) {
          sums[tile][unit * kThreadRows + row] = kept[row];
        }
      }
    }
  }

 private:
  static constexpr int kTiles = Layout::kTiles;
  static constexpr int kPairs = Layout::kPairs;
  static constexpr int kNumbers = Layout::kNumbers;
  static constexpr int kRows = Layout::kRows;
  static constexpr int kThreadRows = Layout::kThreadRows;
  static constexpr int kColumns = 2 * kTiles * kPairs;
  using Operand = BlockOperand<Layout>;

  static __device__ int Group() { return threadIdx.x % 32 / 4; }
  static __device__ int Quad() { return threadIdx.x % 4; }
  // First of the four numbers of the depth that the lane takes in a round.
  static __device__ int Begin(int round) {
    return Layout::kRoundDepth * round + 4 * (Quad() + Group() % kPairs * 4);
  }
  static __device__ float FromLane(float x, int lane_mask) {
    return __shfl_xor_sync(0xffffffffu, x, lane_mask);
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

  // The slices of a row are added in one order, whichever lane keeps the sum
  // and however many rows the block has: first those of lanes 4 apart, ...
  static __device__ void KeepPair(const float (&slice)[kColumns][kRows],
                                  int column, float (&own)[kRows]) {
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
      if constexpr (kPairs == 1) {
        own[row] = slice[column][row];
      } else {
        const bool second = Group() % 2 != 0;
        const float a = slice[column][row], b = slice[column + 2][row];
        own[row] = (second ? b : a) + FromLane(second ? a : b, 4);
      }
    }
  }
  // ... then those 2 apart, then neighbours.
  static __device__ void KeepRows(const float (&own)[kRows],
                                  float (&kept)[kThreadRows]) {
    const bool upper = (Quad() & 2) != 0, odd = (Quad() & 1) != 0;
    float half[kRows / 2];
#pragma unroll
    for (int row = 0; row < kRows / 2; ++row) {
      const float a = own[row], b = own[row + kRows / 2];
      half[row] = (upper ? b : a) + FromLane(upper ? a : b, 2);
    }
#pragma unroll
    for (int row = 0; row < kThreadRows; ++row) {
      const float a = half[row], b = half[row + kThreadRows];
      kept[row] = (odd ? b : a) + FromLane(odd ? a : b, 1);
    }
  }

  BlockWeights<Layout> weights_;
};

template <typename Layout>
using BlockProduct = std::conditional_t<Layout::kExact, ExactProduct<Layout>,
                                        TensorProduct<Layout>>;

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_BLOCK_PRODUCT_CUH_
