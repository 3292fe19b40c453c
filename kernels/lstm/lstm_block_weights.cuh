// SPDX-License-Identifier: Apache-2.0

// The operands of the recurrent products of the block-persistent LSTM, forward
// (h R) and backward (dz R^T): weights that stay on chip, and rows that change
// with every step.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_BLOCK_WEIGHTS_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_BLOCK_WEIGHTS_CUH_

#include <cstdint>

#include "kernels/gemm/mma.cuh"
#include "kernels/lstm/lstm_block_layout.h"
#include "runtime/device/device.h"

namespace continuo::gpu {

// Rows of kDepth numbers in shared memory, placed so that neither the reads of
// products nor the writes of cells meet in a bank.
template <typename Layout>
struct BlockOperand {
  static constexpr Precision kPrecision = Layout::kPrecision;

  // Bytes from the start to number k of a row.
  static __device__ int Offset(int row, int k) {
    const int start = row * kLstmOperandRowBytes<kPrecision, Layout::kDepth>;
    if constexpr (kPrecision == Precision::kBf16) return start + 2 * k;
    // Exchanges groups of 16 bytes within 128: rows 2t and 2t + 1 differ in
    // which half they are in, for reads; rows 0, 2, 4 and 6 all differ, and
    // rows 1, 3, 5 and 7, for writes. The 4 rows of exact products all differ.
    const int group =
        Layout::kRows == 8 ? (row & 6) ^ ((row & 1) << 2) : 2 * row;
    return start + 16 * ((k / 4) ^ group) + 4 * (k % 4);
  }

  // Writes numbers k and k + 1 (k even) of a row, rounded.
  static __device__ void Store(char* operand, int row, int k, float first,
                               float second) {
    char* const to = operand + Offset(row, k);
    if constexpr (kPrecision == Precision::kBf16) {
      *reinterpret_cast<uint32_t*>(to) = ToBf16Pair(first, second);
    } else if constexpr (kPrecision == Precision::kTf32) {
      *reinterpret_cast<uint2*>(to) = make_uint2(ToTf32(first), ToTf32(second));
    } else {
      *reinterpret_cast<float2*>(to) = make_float2(first, second);
    }
  }
};

// A matrix [depth, tiles of h columns] in global memory, as threads take it.
template <typename Layout>
struct BlockMatrix {
  const float* data;
  int h;

  // Row k of units `unit` and `unit` + 1 (even) of a tile; zeros in the
  // padding.
  __device__ float2 Pair(int k, int tile, int unit) const {
    constexpr int kUnits = Layout::kUnits;
    const int row = k / kUnits * h + k % kUnits;
    if (k % kUnits >= h || unit >= h) return make_float2(0.0f, 0.0f);
    return *reinterpret_cast<const float2*>(
        data + int64_t{row} * Layout::kTiles * h + tile * h + unit);
  }
};

// A thread's weights, as it uses them, by rounds: the first ones in registers,
// the others in shared memory, where a warp reads them 16 bytes a lane without
// bank conflicts. 128 units are 256 KB in float, 128 KB in bf16.
template <typename Layout>
class BlockWeights {
 public:
  static constexpr int kNumbers = Layout::kNumbers;

  // fill(round, numbers) computes those of a round for h units; `shared` has
  // room for Layout::kWeightBytes. Rounds of padding alone are zeros; that
  // branch also keeps the loads of all rounds, which there are too few
  // registers for, from being in flight at once.
  template <typename Fill>
  __device__ void Load(int h, char* shared, const Fill& fill_real) {
    const auto fill = [&](int round, uint32_t(&numbers)[kNumbers]) {
      if (round * Layout::kRoundDepth % Layout::kUnits < h) {
        fill_real(round, numbers);
      } else {
#pragma unroll
        for (int i = 0; i < kNumbers; ++i) numbers[i] = 0;
      }
    };
    shared_ = reinterpret_cast<uint4*>(shared) + threadIdx.x;
#pragma unroll
    for (int round = 0; round < Layout::kRegisterRounds; ++round) {
      fill(round, held_[round]);
    }
#pragma unroll 1
    for (int round = Layout::kRegisterRounds; round < Layout::kRounds;
         ++round) {
      uint32_t numbers[kNumbers];
      fill(round, numbers);
#pragma unroll
      for (int i = 0; i < kNumbers / 4; ++i) {
        At(round, i) = make_uint4(numbers[4 * i], numbers[4 * i + 1],
                                  numbers[4 * i + 2], numbers[4 * i + 3]);
      }
    }
  }

  // Those of a round below Layout::kRegisterRounds, known when compiled.
  __device__ const uint32_t (&held(int round) const)[kNumbers] {
    return held_[round];
  }
  // kCount of those of a later round, from number 4 `first` on.
  template <int kCount>
  __device__ void Read(int round, int first, uint32_t (&to)[kCount]) const {
#pragma unroll
    for (int i = 0; i < kCount / 4; ++i) {
      const uint4 four = At(round, first + i);
      to[4 * i] = four.x;
      to[4 * i + 1] = four.y;
      to[4 * i + 2] = four.z;
      to[4 * i + 3] = four.w;
    }
  }

 private:
  __device__ uint4& At(int round, int i) const {
    return shared_[((round - Layout::kRegisterRounds) * (kNumbers / 4) + i) *
                   Layout::kThreads];
  }

  uint32_t held_[Layout::kRegisterRounds][kNumbers];
  uint4* shared_;
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_WEIGHTS_CUH_
