// A warp's part of a team's product on tensor cores: tiles of 16 columns of the
// weights are the A operand of mma.sync, 8 rows of the batch are B.
//
// A step of weights is what one 16-byte load of the rows meets: lane 4 g + p
// has bytes [16 p, 16 p + 16) of 64 of row g. These are the B operand of two k
// slices if the summed index is numbered within the 64 bytes as LoadStep does
// it. The order of a sum is fixed; it need not be that of the index.

#ifndef CONTINUO_KERNELS_LSTM_TEAM_TILES_CUH_
#define CONTINUO_KERNELS_LSTM_TEAM_TILES_CUH_

#include "kernels/lstm_team_weights.cuh"

namespace continuo::gpu {

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

template <typename Product>
struct TeamTiles {
  // Steps whose rows are loaded before the first is multiplied.
  static constexpr int kAhead = 4;

  // Registers [k slice 2][tile 2][4] of the weights [k, k + kStepK) of columns
  // [column, column + 32).
  __device__ static void LoadStep(const TeamWeights& weights, int k, int column,
                                  uint32_t* step) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int r = 0; r < kLstmTeamStepRegisters; ++r) {
      // Register r % 4 of a tile: column lane / 4, or 8 more in odd ones; the
      // halves of a k slice in registers 0, 1 and 2, 3.
      const int at = column + (r / 4 % 2) * 16 + (r % 2) * 8 + lane / 4;
      const int part = 2 * (r / 8) + r % 4 / 2;
      if constexpr (Product::kPrecision == Precision::kBf16) {
        const int pair = k + lane % 4 * 8 + 2 * part;
        step[r] = Bits(
            ToOperand<Precision::kBf16>(*weights.At<Product>(pair, at)),
            ToOperand<Precision::kBf16>(*weights.At<Product>(pair + 1, at)));
      } else {
        step[r] = __float_as_uint(ToOperand<Precision::kTf32>(
            *weights.At<Product>(k + lane % 4 * 4 + part, at)));
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

  // The k slices have chains of their own, so that more of them are under way.
  float d[2][2][4] = {};

  __device__ void Multiply(const uint32_t* step, const Rows& rows) {
    const uint4& x = rows.x;
    MultiplyTile<Product::kPrecision>(step, x.x, x.y, d[0][0]);
    MultiplyTile<Product::kPrecision>(step + 4, x.x, x.y, d[0][1]);
    MultiplyTile<Product::kPrecision>(step + 8, x.z, x.w, d[1][0]);
    MultiplyTile<Product::kPrecision>(step + 12, x.z, x.w, d[1][1]);
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

#endif  // CONTINUO_KERNELS_LSTM_TEAM_TILES_CUH_
