// SPDX-License-Identifier: Apache-2.0

// A warp's part of a group's product on tensor cores: tiles of 16 columns of
// the weights are the A operand of mma.sync, 8 rows of the batch are B.
//
// A step of weights is what one 16-byte load of the rows meets: lane 4 g + p
// has bytes [16 p, 16 p + 16) of 64 of row g. These are the B operand of two k
// slices if the summed index is numbered within the 64 bytes as LoadStep does
// it. The order of a sum is fixed; it need not be that of the index.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_MMA_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_MMA_CUH_

#include "kernels/gemm/mma.cuh"
#include "kernels/lstm/lstm_cooperative_weights.cuh"

namespace continuo::gpu {

template <typename Product>
struct GroupMma {
  // Steps whose rows are loaded before the first is multiplied.
  static constexpr int kAhead = 4;

  // Registers [k slice 2][tile 2][4] of the weights [k, k + kStepK) of columns
  // [column, column + 32).
  __device__ static void LoadStep(const GroupWeights& weights, int k,
                                  int column, uint32_t* step) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int r = 0; r < kLstmCooperativeStepRegisters; ++r) {
      // Register r % 4 of a tile: column lane / 4, or 8 more in odd ones; the
      // halves of a k slice in registers 0, 1 and 2, 3.
      const int at = column + (r / 4 % 2) * 16 + (r % 2) * 8 + lane / 4;
      const int part = 2 * (r / 8) + r % 4 / 2;
      if constexpr (Product::kPrecision == Precision::kBf16) {
        const int pair = k + lane % 4 * 8 + 2 * part;
        step[r] = ToBf16Pair(*weights.At<Product>(pair, at),
                             *weights.At<Product>(pair + 1, at));
      } else {
        step[r] = ToTf32(*weights.At<Product>(k + lane % 4 * 4 + part, at));
      }
    }
  }

  // This lane's part of the 8 rows for one step.
  struct Rows {
    uint4 x = {};
    __device__ void Load(const char* rows, int stride) {
      const int lane = threadIdx.x % 32;
      x = *reinterpret_cast<const uint4*>(rows + lane / 4 * stride +
                                          lane % 4 * 16);
    }
  };

  // The k slices have chains of their own, so that more of them are in flight.
  float d[2][2][4] = {};

  __device__ void Multiply(const uint32_t* step, const Rows& rows) {
    const uint4& x = rows.x;
    MultiplyTile(step, x.x, x.y, d[0][0]);
    MultiplyTile(step + 4, x.x, x.y, d[0][1]);
    MultiplyTile(step + 8, x.z, x.w, d[1][0]);
    MultiplyTile(step + 12, x.z, x.w, d[1][1]);
  }

  __device__ static void MultiplyTile(const uint32_t* a, uint32_t b0,
                                      uint32_t b1, float (&sum)[4]) {
    if constexpr (Product::kPrecision == Precision::kBf16) {
      MmaBf16(sum, a, b0, b1);
    } else {
      MmaTf32(sum, a, b0, b1);
    }
  }

  // Accumulators 0 and 1 are rows 2 p and 2 p + 1 of column g, 2 and 3 those of
  // column g + 8.
  __device__ void Store(float* sums) const {
    const int lane = threadIdx.x % 32;
    sums += lane % 4 * 2 * Product::kSumsStride + lane / 4;
#pragma unroll
    for (int tile = 0; tile < 2; ++tile) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        sums[j % 2 * Product::kSumsStride + tile * 16 + j / 2 * 8] =
            d[0][tile][j] + d[1][tile][j];
      }
    }
  }
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_MMA_CUH_
