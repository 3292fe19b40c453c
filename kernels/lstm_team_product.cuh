// The product of one thread block of a team: rows times the block's share of
// the recurrent weights, which stay on chip for the whole launch.
//
// Tensor cores have the weights as the A operand (a tile is 16 columns of the
// product) and 8 rows of the batch as B. A step of weights is what one 16-byte
// load of the rows meets: lane 4 g + p holds bytes [16 p, 16 p + 16) of 64 of
// row g, which is two k slices of mma.sync if the summed index is numbered
// within the 64 bytes as WeightK says. The order of a sum is fixed, so it may
// be any.

#ifndef CONTINUO_KERNELS_LSTM_TEAM_PRODUCT_CUH_
#define CONTINUO_KERNELS_LSTM_TEAM_PRODUCT_CUH_

#include <cstdint>
#include <type_traits>

#include "kernels/launch.cuh"
#include "kernels/lstm_team.h"

namespace continuo::gpu {

// Type of the operands of a product in a precision; tf32 is a rounded float.
template <Precision kPrecision>
using Operand =
    std::conditional_t<kPrecision == Precision::kBf16, __nv_bfloat16, float>;

template <Precision kPrecision>
__device__ inline Operand<kPrecision> ToOperand(float x) {
  if constexpr (kPrecision == Precision::kBf16) {
    return __float2bfloat16(x);
  } else if constexpr (kPrecision == Precision::kTf32) {
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return __uint_as_float(bits);
  } else {
    return x;
  }
}

// Two bfloat16 operands, or one float, as a register of mma.sync.
__device__ inline uint32_t Bits(__nv_bfloat16 low, __nv_bfloat16 high) {
  return uint32_t{__bfloat16_as_ushort(low)} |
         uint32_t{__bfloat16_as_ushort(high)} << 16;
}

// d += a b of a 16-column tile, a k slice and 8 rows.
template <Precision kPrecision>
__device__ inline void MultiplyTile(const uint32_t* a, uint32_t b0, uint32_t b1,
                                    float* d) {
  if constexpr (kPrecision == Precision::kBf16) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

// Where the weights of a block are in a packed matrix: forward [h, 4h], of
// which the block has the gates of units [unit, unit + kUnits); backward
// [4h, h], of which it has those columns. Backward k is 4 unit + gate if the
// gates of a unit are `interleaved` in the left operand, else gate h + unit.
struct TeamWeights {
  const float* data;
  int units;  // h
  int unit;
  bool interleaved;

  template <typename Product>
  __device__ const float* At(int k, int column) const {
    if constexpr (Product::kBackward) {
      const int row = interleaved ? (k & 3) * units + (k >> 2) : k;
      return data + row * units + unit + column;
    } else {
      const int gate = column / Product::kUnits;
      return data + (k * 4 + gate) * units + unit + column % Product::kUnits;
    }
  }
};

// The weights of one warp, and their product.
template <typename Product>
class WarpWeights {
 public:
  // `shared`: the block's part of shared memory for weights.
  __device__ WarpWeights(const TeamWeights& weights,
                         const LstmTeamLaunch& launch, uint4* shared) {
    const int warp = threadIdx.x / 32;
    const int k = (Product::kBackward ? 4 : 1) * weights.units;
    const int all = (k + Product::kStepK - 1) / Product::kStepK;
    column_ = warp / Product::kSplits * Product::kWarpColumns;
    split_ = warp % Product::kSplits;
    begin_ = split_ * launch.warp_steps;
    steps_ = max(0, min(launch.warp_steps, all - begin_));
    const int shared_steps =
        max(0, launch.warp_steps - Product::kRegisterSteps);
    shared_ =
        shared + warp * shared_steps * kStepVectors * 32 + threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < Product::kRegisterSteps; ++i) {
      LoadStep(weights, i, registers_[i]);
    }
    for (int i = Product::kRegisterSteps; i < steps_; ++i) {
      uint32_t step[kLstmTeamStepRegisters];
      LoadStep(weights, i, step);
#pragma unroll
      for (int v = 0; v < kStepVectors; ++v) {
        SharedStep(i)[v * 32] = make_uint4(step[4 * v], step[4 * v + 1],
                                           step[4 * v + 2], step[4 * v + 3]);
      }
    }
  }

  // Sums of the warp's range of k for 8 rows of the left operand, into its
  // place in sums[kSplits][8][kSumsStride].
  __device__ void Multiply(const char* rows, int stride, float* sums) const {
    sums += split_ * kLstmTeamRows * Product::kSumsStride + column_;
    rows += begin_ * Product::kStepBytes;
    if constexpr (Product::kExact) {
      MultiplyExact(rows, stride, sums);
    } else {
      MultiplyTiles(rows, stride, sums);
    }
  }

 private:
  static constexpr int kStepVectors = kLstmTeamStepRegisters / 4;
  // Columns of a lane in the exact form.
  static constexpr int kLaneColumns = Product::kWarpColumns / 32;

  __device__ uint4* SharedStep(int i) const {
    return shared_ + (i - Product::kRegisterSteps) * kStepVectors * 32;
  }

  // Registers of step i: [k slice 2][tile 2][4] of mma.sync, or, exact,
  // [k][column]. Zeros past the warp's last step.
  __device__ void LoadStep(const TeamWeights& weights, int i,
                           uint32_t* step) const {
    if (i >= steps_) {
#pragma unroll
      for (int r = 0; r < kLstmTeamStepRegisters; ++r) step[r] = 0;
      return;
    }
    const int lane = threadIdx.x % 32;
    const int k = (begin_ + i) * Product::kStepK;
#pragma unroll
    for (int r = 0; r < kLstmTeamStepRegisters; ++r) {
      if constexpr (Product::kExact && kLaneColumns == 4) {
        if (r % 4 != 0) continue;
        const float4 four = *reinterpret_cast<const float4*>(
            weights.At<Product>(k + r / 4, column_ + lane * 4));
        step[r] = __float_as_uint(four.x);
        step[r + 1] = __float_as_uint(four.y);
        step[r + 2] = __float_as_uint(four.z);
        step[r + 3] = __float_as_uint(four.w);
      } else if constexpr (Product::kExact) {
        step[r] = __float_as_uint(*weights.At<Product>(k + r, column_ + lane));
      } else {
        // Register r % 4 of a tile: column lane / 4, or 8 more in odd ones;
        // the two halves of a k slice in registers 0, 1 and 2, 3.
        const int column = column_ + (r / 4 % 2) * 16 + (r % 2) * 8 + lane / 4;
        const int part = 2 * (r / 8) + r % 4 / 2;
        if constexpr (Product::kPrecision == Precision::kBf16) {
          const int pair = k + lane % 4 * 8 + 2 * part;
          step[r] = Bits(
              ToOperand<Precision::kBf16>(*weights.At<Product>(pair, column)),
              ToOperand<Precision::kBf16>(
                  *weights.At<Product>(pair + 1, column)));
        } else {
          step[r] = __float_as_uint(ToOperand<Precision::kTf32>(
              *weights.At<Product>(k + lane % 4 * 4 + part, column)));
        }
      }
    }
  }

  // d[k slice][tile]: chains of their own, so that more of them are under way.
  __device__ static void MultiplyStep(const uint32_t* step, const uint4& x,
                                      float (*d)[2][4]) {
    MultiplyTile<Product::kPrecision>(step, x.x, x.y, d[0][0]);
    MultiplyTile<Product::kPrecision>(step + 4, x.x, x.y, d[0][1]);
    MultiplyTile<Product::kPrecision>(step + 8, x.z, x.w, d[1][0]);
    MultiplyTile<Product::kPrecision>(step + 12, x.z, x.w, d[1][1]);
  }

  __device__ void MultiplyTiles(const char* rows, int stride,
                                float* sums) const {
    const int lane = threadIdx.x % 32;
    const char* const x = rows + lane / 4 * stride + lane % 4 * 16;
    const auto load = [&](int i) {
      return *reinterpret_cast<const uint4*>(x + i * Product::kStepBytes);
    };
    float d[2][2][4] = {};
    constexpr int kAhead = 4;
#pragma unroll
    for (int first = 0; first < Product::kRegisterSteps; first += kAhead) {
      if (first >= steps_) break;
      uint4 ahead[kAhead];
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        ahead[i] =
            first + i < steps_ ? load(first + i) : make_uint4(0, 0, 0, 0);
      }
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        MultiplyStep(registers_[first + i], ahead[i], d);
      }
    }
#pragma unroll 2
    for (int i = Product::kRegisterSteps; i < steps_; ++i) {
      const uint4 ahead = load(i);
      uint32_t step[kLstmTeamStepRegisters];
#pragma unroll
      for (int v = 0; v < kStepVectors; ++v) {
        const uint4 four = SharedStep(i)[v * 32];
        step[4 * v] = four.x;
        step[4 * v + 1] = four.y;
        step[4 * v + 2] = four.z;
        step[4 * v + 3] = four.w;
      }
      MultiplyStep(step, ahead, d);
    }
    // Accumulators 0 and 1 are rows 2 p and 2 p + 1 of column g, 2 and 3 those
    // of column g + 8.
    float* const to = sums + lane % 4 * 2 * Product::kSumsStride + lane / 4;
#pragma unroll
    for (int tile = 0; tile < 2; ++tile) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        to[j % 2 * Product::kSumsStride + tile * 16 + j / 2 * 8] =
            d[0][tile][j] + d[1][tile][j];
      }
    }
  }

  // Chains of fused multiply-adds in ascending k. Rows are read by all lanes
  // at once, 16 bytes a load.
  __device__ static void MultiplyExactStep(const uint32_t* step,
                                           const char* rows, int stride,
                                           float (*d)[kLaneColumns]) {
#pragma unroll
    for (int four = 0; four < Product::kStepK / 4; ++four) {
#pragma unroll
      for (int row = 0; row < kLstmTeamRows; ++row) {
        const float4 x =
            *reinterpret_cast<const float4*>(rows + row * stride + four * 16);
        const float at[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
        for (int k = 0; k < 4; ++k) {
#pragma unroll
          for (int column = 0; column < kLaneColumns; ++column) {
            d[row][column] = fmaf(
                at[k],
                __uint_as_float(step[(four * 4 + k) * kLaneColumns + column]),
                d[row][column]);
          }
        }
      }
    }
  }

  __device__ void MultiplyExact(const char* rows, int stride,
                                float* sums) const {
    float d[kLstmTeamRows][kLaneColumns] = {};
#pragma unroll
    for (int i = 0; i < Product::kRegisterSteps; ++i) {
      if (i >= steps_) break;
      MultiplyExactStep(registers_[i], rows + i * Product::kStepBytes, stride,
                        d);
    }
#pragma unroll 1
    for (int i = Product::kRegisterSteps; i < steps_; ++i) {
      uint32_t step[kLstmTeamStepRegisters];
#pragma unroll
      for (int v = 0; v < kStepVectors; ++v) {
        const uint4 four = SharedStep(i)[v * 32];
        step[4 * v] = four.x;
        step[4 * v + 1] = four.y;
        step[4 * v + 2] = four.z;
        step[4 * v + 3] = four.w;
      }
      MultiplyExactStep(step, rows + i * Product::kStepBytes, stride, d);
    }
    float* const to = sums + threadIdx.x % 32 * kLaneColumns;
#pragma unroll
    for (int row = 0; row < kLstmTeamRows; ++row) {
      if constexpr (kLaneColumns == 4) {
        *reinterpret_cast<float4*>(to + row * Product::kSumsStride) =
            make_float4(d[row][0], d[row][1], d[row][2], d[row][3]);
      } else {
        to[row * Product::kSumsStride] = d[row][0];
      }
    }
  }

  uint32_t registers_[Product::kRegisterSteps][kLstmTeamStepRegisters];
  uint4* shared_;
  int column_;
  int split_;
  int begin_;
  int steps_;
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_TEAM_PRODUCT_CUH_
