// Products with weights that stay in a thread block: the recurrent product of
// the block-persistent LSTM, forward (h R) and backward (dz R^T).
//
// out [8 rows, columns] = x [8 rows, kDepth] W, with x in shared memory. A warp
// owns 16 units; lane (g, t) = (lane / 4, lane % 4) gets the sums of the
// columns of units 2g and 2g + 1 for rows 2t and 2t + 1, from one column tile
// (backward) or from four, one a gate (forward): all gates of a cell meet in
// one thread. W is the operand of 16 rows of mma.sync, the batch the one of 8.
// In exact fp32 the lanes of one g sum a quarter of the depth each, for all 8
// rows, and exchange: 4 fused multiply-adds for each number read.
//
// Weights are held by rounds of 16 of the depth, as the thread uses them: the
// first kRegisterRounds in registers, the others in shared memory, where a warp
// reads them 16 bytes a lane without bank conflicts. 128 units are 256 KB in
// float, 128 KB in bf16.

#ifndef CONTINUO_KERNELS_LSTM_BLOCK_PRODUCT_CUH_
#define CONTINUO_KERNELS_LSTM_BLOCK_PRODUCT_CUH_

#include <cstdint>

#include "kernels/lstm_block_layout.h"
#include "kernels/mma.cuh"
#include "runtime/device.h"

namespace continuo::gpu {

// x in shared memory: rows of kDepth numbers, placed so that neither the reads
// of products nor the writes of cells meet in a bank.
template <Precision kPrecision, int kDepth>
struct BlockOperand {
  // Bytes from the start of x to number k of a row.
  static __device__ int Offset(int row, int k) {
    const int start = row * kLstmOperandRowBytes<kPrecision, kDepth>;
    if constexpr (kPrecision == Precision::kBf16) return start + 2 * k;
    // Exchanges groups of 16 bytes within 128: rows 2t and 2t + 1 differ in
    // which half they are in, for reads; rows 0, 2, 4 and 6 all differ, and
    // rows 1, 3, 5 and 7, for writes.
    const int group = (k / 4) ^ ((row & 6) ^ ((row & 1) << 2));
    return start + 16 * group + 4 * (k % 4);
  }

  // Writes numbers k and k + 1 (k even) of a row, rounded.
  static __device__ void Store(char* x, int row, int k, float first,
                               float second) {
    char* const to = x + Offset(row, k);
    if constexpr (kPrecision == Precision::kBf16) {
      *reinterpret_cast<uint32_t*>(to) = ToBf16Pair(first, second);
    } else if constexpr (kPrecision == Precision::kTf32) {
      *reinterpret_cast<uint2*>(to) = make_uint2(ToTf32(first), ToTf32(second));
    } else {
      *reinterpret_cast<float2*>(to) = make_float2(first, second);
    }
  }
};

template <Precision kPrecision, int kUnits, bool kBackward>
class BlockProduct {
 public:
  using Layout = LstmBlockLayout<kPrecision, kUnits, kBackward>;
  static constexpr int kTiles = Layout::kTiles;
  static constexpr int kDepth = Layout::kDepth;

  // Reads the weights [depth, columns] of h units; `shared` has room for
  // Layout::kWeightBytes.
  __device__ void Load(const float* weights, int h, char* shared) {
    shared_ = reinterpret_cast<uint4*>(shared) + threadIdx.x;
#pragma unroll
    for (int round = 0; round < kRegisterRounds; ++round) {
      LoadRound(weights, h, round, held_[round]);
    }
#pragma unroll 1
    for (int round = kRegisterRounds; round < kRounds; ++round) {
      uint32_t numbers[kNumbers];
      LoadRound(weights, h, round, numbers);
#pragma unroll
      for (int i = 0; i < kNumbers / 4; ++i) {
        SharedNumbers(round, i) =
            make_uint4(numbers[4 * i], numbers[4 * i + 1], numbers[4 * i + 2],
                       numbers[4 * i + 3]);
      }
    }
  }

  // sums[tile]: unit 2g of rows 2t and 2t + 1, then unit 2g + 1. For whole
  // warps.
  __device__ void Multiply(const char* x, float (&sums)[kTiles][4]) const {
    if constexpr (kPrecision == Precision::kFp32) {
      float quarter[kColumns][kLstmBlockRows] = {};
#pragma unroll
      for (int round = 0; round < kRegisterRounds; ++round) {
        AddRound(x, round, held_[round], quarter);
      }
#pragma unroll 1
      for (int round = kRegisterRounds; round < kRounds; ++round) {
        uint32_t numbers[kNumbers];
        ReadShared(round, numbers);
        AddRound(x, round, numbers, quarter);
      }
      Exchange(quarter, sums);
    } else {
      // Independent chains hide the latency of the tensor cores.
      float chains[kChains][kTiles][4] = {};
#pragma unroll
      for (int round = 0; round < kRounds; round += 2) {
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
  }

 private:
  static constexpr int kRounds = Layout::kRounds;
  static constexpr int kNumbers = Layout::kNumbers;
  static constexpr int kRegisterRounds = Layout::kRegisterRounds;
  static constexpr int kColumns = 2 * kTiles;
  static constexpr int kChains = 4 / kTiles;
  using Operand = BlockOperand<kPrecision, kDepth>;

  static __device__ int Group() { return threadIdx.x % 32 / 4; }
  static __device__ int Quad() { return threadIdx.x % 4; }

  // W[k] of the thread's two units in a tile; zeros in the padding.
  static __device__ float2 Weight(const float* weights, int h, int k,
                                  int tile) {
    const int unit = threadIdx.x / 32 * 16 + 2 * Group();
    const int row = k / kUnits * h + k % kUnits;
    if (k % kUnits >= h || unit >= h) return make_float2(0.0f, 0.0f);
    return *reinterpret_cast<const float2*>(
        weights + int64_t{row} * kTiles * h + tile * h + unit);
  }

  static __device__ void LoadRound(const float* weights, int h, int round,
                                   uint32_t (&to)[kNumbers]) {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
      const auto weight = [&](int k) {
        return Weight(weights, h, 16 * round + k, tile);
      };
      if constexpr (kPrecision == Precision::kBf16) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float2 low = weight(2 * Quad() + 8 * half);
          const float2 high = weight(2 * Quad() + 8 * half + 1);
          to[4 * tile + 2 * half] = ToBf16Pair(low.x, high.x);
          to[4 * tile + 2 * half + 1] = ToBf16Pair(low.y, high.y);
        }
      } else {
        // Four consecutive numbers of the depth a lane, so that it reads x 16
        // bytes at a time: two steps of mma.sync, or a quarter in fp32.
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const float2 pair = weight(4 * Quad() + i);
          constexpr bool kRound = kPrecision == Precision::kTf32;
          to[8 * tile + 2 * i] =
              kRound ? ToTf32(pair.x) : __float_as_uint(pair.x);
          to[8 * tile + 2 * i + 1] =
              kRound ? ToTf32(pair.y) : __float_as_uint(pair.y);
        }
      }
    }
  }

  __device__ uint4& SharedNumbers(int round, int i) const {
    return shared_[((round - kRegisterRounds) * (kNumbers / 4) + i) *
                   Layout::kThreads];
  }
  __device__ void ReadShared(int round, uint32_t (&to)[kNumbers]) const {
#pragma unroll
    for (int i = 0; i < kNumbers / 4; ++i) {
      const uint4 four = SharedNumbers(round, i);
      to[4 * i] = four.x;
      to[4 * i + 1] = four.y;
      to[4 * i + 2] = four.z;
      to[4 * i + 3] = four.w;
    }
  }

  // Rounds `round` and `round` + 1 on the tensor cores.
  __device__ void AddRounds(const char* x, int round,
                            float (&chains)[kChains][kTiles][4]) const {
    if constexpr (kPrecision == Precision::kBf16) {
      uint32_t b[4];
      const int lane = threadIdx.x % 32;
      LoadMatrices(b, x + Operand::Offset(lane % 8, 16 * round + lane / 8 * 8));
#pragma unroll
      for (int part = 0; part < 2; ++part) {
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          MmaBf16(chains[(round + part) % kChains][tile],
                  held_[round + part] + 4 * tile, b[2 * part], b[2 * part + 1]);
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

  __device__ void AddTf32(int round, int tile, uint4 b,
                          float (&chains)[kChains][kTiles][4]) const {
    uint32_t a[8];
    if (round < kRegisterRounds) {
#pragma unroll
      for (int i = 0; i < 8; ++i) a[i] = held_[round][8 * tile + i];
    } else {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const uint4 four = SharedNumbers(round, 2 * tile + i);
        a[4 * i] = four.x;
        a[4 * i + 1] = four.y;
        a[4 * i + 2] = four.z;
        a[4 * i + 3] = four.w;
      }
    }
    MmaTf32(chains[2 * round % kChains][tile], a, b.x, b.y);
    MmaTf32(chains[(2 * round + 1) % kChains][tile], a + 4, b.z, b.w);
  }

  // The lane's quarter of a round, exact.
  static __device__ void AddRound(const char* x, int round,
                                  const uint32_t (&w)[kNumbers],
                                  float (&sums)[kColumns][kLstmBlockRows]) {
#pragma unroll
    for (int row = 0; row < kLstmBlockRows; ++row) {
      const float4 four = *reinterpret_cast<const float4*>(
          x + Operand::Offset(row, 16 * round + 4 * Quad()));
      const float k[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int column = 0; column < kColumns; ++column) {
          const uint32_t weight = w[column / 2 * 8 + 2 * i + column % 2];
          sums[column][row] =
              fmaf(k[i], __uint_as_float(weight), sums[column][row]);
        }
      }
    }
  }

  // Adds the quarters; each lane keeps its two rows. A row's four quarters are
  // added in the same order whichever lane keeps it.
  static __device__ void Exchange(
      const float (&quarter)[kColumns][kLstmBlockRows],
      float (&sums)[kTiles][4]) {
    const bool upper = (Quad() & 2) != 0;
    const bool odd = (Quad() & 1) != 0;
#pragma unroll
    for (int column = 0; column < kColumns; ++column) {
      const float(&from)[kLstmBlockRows] = quarter[column];
      float half[4];
#pragma unroll
      for (int row = 0; row < 4; ++row) {
        const float keep = upper ? from[row + 4] : from[row];
        const float send = upper ? from[row] : from[row + 4];
        half[row] = keep + __shfl_xor_sync(0xffffffffu, send, 2);
      }
#pragma unroll
      for (int row = 0; row < 2; ++row) {
        const float keep = odd ? half[row + 2] : half[row];
        const float send = odd ? half[row] : half[row + 2];
        sums[column / 2][column % 2 * 2 + row] =
            keep + __shfl_xor_sync(0xffffffffu, send, 1);
      }
    }
  }

  uint32_t held_[kRegisterRounds][kNumbers];
  uint4* shared_;
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_BLOCK_PRODUCT_CUH_
