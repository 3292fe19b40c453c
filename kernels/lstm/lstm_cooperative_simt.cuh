// SPDX-License-Identifier: Apache-2.0

// A warp's part of a group's product in float32: chains of fused multiply-adds.
//
// A lane has 4 columns and all 8 rows, so that 16 multiplications share each
// 16-byte load of a row. Forward the 32 lanes have a warp's 128 columns and
// read the same k; backward 8 lanes have its 32 columns, and a quarter of the
// warp each takes 4 of 16 k. Loads of a quarter are of one address.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_SIMT_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_SIMT_CUH_

#include "kernels/lstm/lstm_cooperative_weights.cuh"

namespace continuo::gpu {

template <typename Product>
struct GroupSimt {
  static constexpr int kAhead = 1;
  static constexpr int kLaneColumns = 4;
  static constexpr int kLanes = Product::kWarpColumns / kLaneColumns;
  static constexpr int kParts = 32 / kLanes;  // of a step's k
  static_assert(Product::kStepK == 4 * kParts);

  // Registers [k 4][column 4] of this lane's weights.
  __device__ static void LoadStep(const GroupWeights& weights, int k,
                                  int column, uint32_t* step) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float4 four = *reinterpret_cast<const float4*>(weights.At<Product>(
          k + lane / kLanes * 4 + i, column + lane % kLanes * kLaneColumns));
      step[4 * i] = __float_as_uint(four.x);
      step[4 * i + 1] = __float_as_uint(four.y);
      step[4 * i + 2] = __float_as_uint(four.z);
      step[4 * i + 3] = __float_as_uint(four.w);
    }
  }

  struct Rows {
    float4 x[kLstmCooperativeRows];
    __device__ void Load(const char* rows, int stride) {
      rows += threadIdx.x % 32 / kLanes * 16;
#pragma unroll
      for (int row = 0; row < kLstmCooperativeRows; ++row) {
        x[row] = *reinterpret_cast<const float4*>(rows + row * stride);
      }
    }
  };

  float d[kLstmCooperativeRows][kLaneColumns] = {};

  __device__ void Multiply(const uint32_t* step, const Rows& rows) {
#pragma unroll
    for (int row = 0; row < kLstmCooperativeRows; ++row) {
      const float4& x = rows.x[row];
      const float at[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
      for (int k = 0; k < 4; ++k) {
#pragma unroll
        for (int column = 0; column < kLaneColumns; ++column) {
          d[row][column] = fmaf(at[k], __uint_as_float(step[4 * k + column]),
                                d[row][column]);
        }
      }
    }
  }

  // Adds up rows [0, 2 kHalf): this lane keeps half of them, those from kHalf
  // on if `upper`, and gets the other lane's sums of these.
  template <int kHalf>
  __device__ void Halve(int lanes, bool upper) {
#pragma unroll
    for (int row = 0; row < kHalf; ++row) {
#pragma unroll
      for (int column = 0; column < kLaneColumns; ++column) {
        const float low = d[row][column];
        const float high = d[row + kHalf][column];
        const float other =
            __shfl_xor_sync(0xffffffffu, upper ? low : high, lanes);
        d[row][column] = (upper ? high : low) + other;
      }
    }
  }

  __device__ void Store(float* sums) {
    const int lane = threadIdx.x % 32;
    int row_begin = 0;
    if constexpr (kParts == 4) {
      Halve<4>(16, (lane & 16) != 0);
      Halve<2>(8, (lane & 8) != 0);
      row_begin = lane / 16 * 4 + lane / 8 % 2 * 2;
    }
    sums += row_begin * Product::kSumsStride + lane % kLanes * kLaneColumns;
#pragma unroll
    for (int row = 0; row < kLstmCooperativeRows / kParts; ++row) {
      *reinterpret_cast<float4*>(sums + row * Product::kSumsStride) =
          make_float4(d[row][0], d[row][1], d[row][2], d[row][3]);
    }
  }
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_SIMT_CUH_
