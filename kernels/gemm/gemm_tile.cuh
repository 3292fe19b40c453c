// SPDX-License-Identifier: Apache-2.0

// What the products in bf16 share: tiles of operands in shared memory, and the
// tile [128, 128] of the product that a block of eight warps makes of them,
// [64, 32] by each warp.

#ifndef CONTINUO_KERNELS_GEMM_GEMM_TILE_CUH_
#define CONTINUO_KERNELS_GEMM_GEMM_TILE_CUH_

#include <cstdint>

#include "kernels/common/vector_io.cuh"
#include "kernels/gemm/mma.cuh"

namespace continuo::gpu {

inline constexpr int kGemmThreads = 256;
inline constexpr int kGemmTile = 128;  // rows and columns of the product
inline constexpr int kGemmDepth = 32;  // of the summed index
// 32-bit words of a row of a tile [kGemmDepth, kGemmTile].
inline constexpr int kWideWords = kGemmTile / 2;

// LoadMatrices of the transposes of the four.
__device__ inline void LoadTransposed(uint32_t (&to)[4], const uint32_t* row) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
      : "r"(SharedAddress(row))
      : "memory");
}

// Elements [column, column + 4) of a row of `columns`, zeros past its end.
template <typename T>
__device__ inline float4 LoadUpTo4(const T* row, int64_t column,
                                   int64_t columns, bool by_fours) {
  if (by_fours && column < columns) return Load4(row + column);
  float4 x = {};
  if (column < columns) x.x = ToFloat(row[column]);
  if (column + 1 < columns) x.y = ToFloat(row[column + 1]);
  if (column + 2 < columns) x.z = ToFloat(row[column + 2]);
  if (column + 3 < columns) x.w = ToFloat(row[column + 3]);
  return x;
}

// Where chunk `chunk` (of 16 bytes) of a row of a wide tile begins, in words:
// rows are 256 bytes, which this spreads over the banks of shared memory.
__device__ inline int PlaceWide(int row, int chunk) {
  return row * kWideWords + (chunk ^ ((row ^ chunk >> 3) & 7)) * 4;
}

// A thread's part of a wide tile: four columns of every eighth row.
struct WidePart {
  __device__ static int Row(int i) { return threadIdx.x / 32 + 8 * i; }
  __device__ static int Column() { return threadIdx.x % 32 * 4; }

  __device__ void Store(uint32_t* tile) const {
    const int part = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      *reinterpret_cast<uint2*>(tile + PlaceWide(Row(i), part / 2) +
                                part % 2 * 2) = {ToBf16Pair(x[i].x, x[i].y),
                                                 ToBf16Pair(x[i].z, x[i].w)};
    }
  }
  // Of the columns 4t to 4t + 3 of a group of 16, the first two go to the first
  // matrix of the group and the others to the second, so that a lane ends up
  // with sums of four neighbours.
  __device__ void StorePaired(uint32_t* tile) const {
    const int group = threadIdx.x % 32 / 4;
    const int t = threadIdx.x % 4;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      tile[PlaceWide(Row(i), 2 * group) + t] = ToBf16Pair(x[i].x, x[i].y);
      tile[PlaceWide(Row(i), 2 * group + 1) + t] = ToBf16Pair(x[i].z, x[i].w);
    }
  }
  float4 x[4];
};

// Where the warp's part of the product begins in its tile.
__device__ inline int WarpRow() { return threadIdx.x / 128 * 64; }
__device__ inline int WarpColumn() { return threadIdx.x / 32 % 4 * 32; }

using WarpSums = float[4][4][4];

// sums += left times rows [depth, depth + 16) of a paired tile. left[i] is the
// warp's rows [16 i, 16 i + 16).
__device__ inline void MultiplyDepth(const uint32_t (&left)[4][4],
                                     const uint32_t* paired, int depth,
                                     WarpSums& sums) {
  const int lane = threadIdx.x % 32;
  uint32_t right[2][4];
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    LoadTransposed(right[j],
                   paired + PlaceWide(depth + lane % 16,
                                      WarpColumn() / 8 + 2 * j + lane / 16));
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      MmaBf16(sums[i][j], left[i], right[j / 2][j % 2 * 2],
              right[j / 2][j % 2 * 2 + 1]);
    }
  }
}

// A lane holds the sums of four neighbouring columns in each of two groups, of
// eight rows. Where those columns begin in the tile.
inline constexpr int kSumGroups = 2;
__device__ inline int SumsColumn(int group) {
  return WarpColumn() + 16 * group + threadIdx.x % 4 * 4;
}

// Calls fn(row of the tile, the four sums) for the rows of a group.
template <typename Fn>
__device__ void ForEachSumsRow(const WarpSums& sums, int group, Fn fn) {
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const float* low = sums[i / 2][2 * group] + i % 2 * 2;
    const float* high = sums[i / 2][2 * group + 1] + i % 2 * 2;
    fn(WarpRow() + 8 * i + threadIdx.x % 32 / 4,
       float4{low[0], low[1], high[0], high[1]});
  }
}

// Stores x to elements [column, column + 4) of a row of `columns`.
template <typename T>
__device__ inline void StoreUpTo4(T* row, int64_t column, int64_t columns,
                                  bool by_fours, float4 x) {
  if (by_fours && column < columns) {
    Store4(row + column, x);
    return;
  }
  if (column < columns) row[column] = FromFloat<T>(x.x);
  if (column + 1 < columns) row[column + 1] = FromFloat<T>(x.y);
  if (column + 2 < columns) row[column + 2] = FromFloat<T>(x.z);
  if (column + 3 < columns) row[column + 3] = FromFloat<T>(x.w);
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_GEMM_GEMM_TILE_CUH_
