// SPDX-License-Identifier: Apache-2.0

// Products of the attention cell's step: few rows (at most 8) times weights
// that never change, which lie in the order in which lanes read them, 16 units
// by some inputs a tile. Inputs of a tile are permuted so that a lane reads its
// operands in vectors of 16 bytes, too.
//   bf16, tf32: two mma.sync a tile; weights are their left operand, rows the 8
//     columns of the right one.
//   fp32: chains of fused multiply-adds. A lane has 4 units and all 8 rows, for
//     one in eight of the inputs: 3 loads from shared memory for 32 of them.

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_PRODUCT_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_PRODUCT_CUH_

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/attention/attention_launch.h"
#include "kernels/common/warp.cuh"
#include "kernels/gemm/mma.cuh"
#include "kernels/gemm/operand.cuh"
#include "runtime/device/device.h"

namespace continuo::gpu {

template <Precision kPrecision>
inline constexpr int kAttentionTileInputs = AttentionTileInputs(kPrecision);

// Where element `element` of a stored tile comes from.
struct TileElement {
  int unit;
  int input;
};
template <Precision kPrecision>
__device__ inline TileElement TileSource(int element) {
  constexpr int kEach = kPrecision == Precision::kBf16 ? 8 : 4;
  const int word = element % kEach;
  const int lane = element / kEach % 32;
  const int vector = element / kEach / 32;
  if constexpr (kPrecision == Precision::kFp32) {
    return {lane % 4 * 4 + vector, lane / 4 * 4 + word};
  } else {
    // A register holds one or two inputs of one unit; the four of a vector are
    // units g and g + 8 of the lower inputs, then of the upper ones.
    constexpr int kHalves = kEach / 4;
    const int reg = word / kHalves;
    return {lane / 4 + (reg & 1) * 8, lane % 4 * kEach +
                                          (vector * 2 + (reg >> 1)) * kHalves +
                                          word % kHalves};
  }
}

// The sums of a tile over a warp: units x rows [16, 8].
template <Precision kPrecision>
class TileSums {
 public:
  // Adds weights [16, inputs] times `rows` operands at the tile's inputs;
  // consecutive rows are `stride` apart.
  __device__ void Add(const uint4* tile, const Operand<kPrecision>* operands,
                      int stride, int rows) {
    const int lane = threadIdx.x % 32;
    // With fewer than 8 rows some lanes read a row twice, to no effect.
    const uint4 x = *reinterpret_cast<const uint4*>(
        operands + min(lane / 4, rows - 1) * stride + lane % 4 * kEach);
    const uint4 first = tile[lane];
    const uint4 second = tile[lane + 32];
    if constexpr (kPrecision == Precision::kBf16) {
      MmaBf16(sums_, &first.x, x.x, x.y);
      MmaBf16(sums_, &second.x, x.z, x.w);
    } else {
      MmaTf32(sums_, &first.x, x.x, x.y);
      MmaTf32(sums_, &second.x, x.z, x.w);
    }
  }
  // Stores the sums of rows [0, rows) where `place(row, unit)` says.
  template <typename Place>
  __device__ void Store(int rows, const Place& place) const {
    const int lane = threadIdx.x % 32;
    const int row = lane % 4 * 2;
    const int unit = lane / 4;
    if (row < rows) {
      *place(row, unit) = sums_[0];
      *place(row, unit + 8) = sums_[2];
    }
    if (row + 1 < rows) {
      *place(row + 1, unit) = sums_[1];
      *place(row + 1, unit + 8) = sums_[3];
    }
  }

 private:
  static constexpr int kEach = kPrecision == Precision::kBf16 ? 8 : 4;
  // As mma.sync has them (kernels/gemm/mma.cuh).
  float sums_[4] = {};
};

template <>
class TileSums<Precision::kFp32> {
 public:
  __device__ void Add(const uint4* tile, const float* operands, int stride,
                      int rows) {
    const int lane = threadIdx.x % 32;
    float4 weights[kUnits];
#pragma unroll
    for (int unit = 0; unit < kUnits; ++unit) {
      weights[unit] = reinterpret_cast<const float4*>(tile)[unit * 32 + lane];
    }
    operands += lane / 4 * 4;
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
      const float4 x = *reinterpret_cast<const float4*>(
          operands + min(row, rows - 1) * stride);
#pragma unroll
      for (int unit = 0; unit < kUnits; ++unit) {
        float& sum = sums_[row][unit];
        sum = fmaf(weights[unit].x, x.x, sum);
        sum = fmaf(weights[unit].y, x.y, sum);
        sum = fmaf(weights[unit].z, x.z, sum);
        sum = fmaf(weights[unit].w, x.w, sum);
      }
    }
  }
  // Adds the sums of the lanes that share units: each ends with one row.
  template <typename Place>
  __device__ void Store(int rows, const Place& place) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int half = kRows / 2; half > 0; half /= 2) {
      const bool upper = (lane / 4 & half) != 0;
#pragma unroll
      for (int row = 0; row < half; ++row) {
#pragma unroll
        for (int unit = 0; unit < kUnits; ++unit) {
          const float low = sums_[row][unit];
          const float high = sums_[row + half][unit];
          sums_[row][unit] =
              (upper ? high : low) +
              __shfl_xor_sync(kAllLanes, upper ? low : high, half * 4);
        }
      }
    }
    const int row = lane / 4;
    if (row < rows) {
      // One store; of a float4 nvcc makes four here.
      asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(
                       SharedAddress(place(row, lane % 4 * kUnits))),
                   "f"(sums_[0][0]), "f"(sums_[0][1]), "f"(sums_[0][2]),
                   "f"(sums_[0][3])
                   : "memory");
    }
  }

 private:
  static constexpr int kRows = 8;
  static constexpr int kUnits = 4;
  float sums_[kRows][kUnits] = {};
};

// One product of a block: rows times [segments_in, P] x [segments_out, units].
struct ProductShape {
  int segments_in;
  int segments_out;
  int splits;  // divides the tiles that a unit's sum is made of
  bool cluster;
  int padded;  // P
  int units;
  int rows;
  int operand_stride;

  // Floats of the sums of a segment.
  __device__ int segment_sums() const {
    return rows * (cluster ? kAttentionTileUnits : units + 4);
  }
  // Where the sum of a unit is among those of its segment. In a cluster the
  // four halves of two rows of 16 units are turned by one from each two rows to
  // the next, so that neither a tile's stores (the same half of every second
  // row) nor loads (two rows) meet in a bank.
  __device__ int SumPlace(int row, int unit) const {
    if (!cluster) return row * (units + 4) + unit;
    const int half = row % 2 * 2 + unit / 8 + row / 2;
    return row / 2 * 32 + half % 4 * 8 + unit % 8;
  }
};

// Puts the sums of `splits` parts of the inputs into sums
// [splits, segments_out, SumPlace]. Input segment 0 begins at operand
// `first` of a row, the others one after the other at `others`.
template <Precision kPrecision>
__device__ __forceinline__ void Product(const ProductShape& s,
                                        const uint4* weights,
                                        const Operand<kPrecision>* operands,
                                        int first, int others, float* sums) {
  constexpr int kInputs = kAttentionTileInputs<kPrecision>;
  constexpr int kVectors =
      kAttentionTileUnits * kInputs * sizeof(Operand<kPrecision>) / 16;
  const int unit_tiles = s.units / kAttentionTileUnits;
  const int tiles = s.segments_out * unit_tiles;
  const int segment_chunks = s.padded / kInputs;
  const int chunks = s.segments_in * segment_chunks;
  const int each = chunks / s.splits;
  for (int task = threadIdx.x / 32; task < tiles * s.splits;
       task += kAttentionThreads / 32) {
    const int tile = task % tiles;
    const int split = task / tiles;
    const uint4* const from = weights + int64_t{tile} * chunks * kVectors;
    TileSums<kPrecision> tile_sums;
    // fp32 tiles have many loads in flight already.
    constexpr int kUnroll = kPrecision == Precision::kFp32 ? 1 : 4;
#pragma unroll kUnroll
    for (int i = 0; i < each; ++i) {
      const int chunk = split * each + i;
      const int at = (chunk < segment_chunks ? first : others - s.padded) +
                     chunk * kInputs;
      tile_sums.Add(from + chunk * kVectors, operands + at, s.operand_stride,
                    s.rows);
    }
    const int segment = tile / unit_tiles;
    float* const to =
        sums + (split * s.segments_out + segment) * s.segment_sums();
    const int first_unit = tile % unit_tiles * kAttentionTileUnits;
    tile_sums.Store(s.rows, [&](int row, int unit) {
      return to + s.SumPlace(row, first_unit + unit);
    });
  }
}

// The sum of all parts for a unit of an output segment.
__device__ __forceinline__ float SumOf(const ProductShape& s, const float* sums,
                                       int segment, int row, int unit) {
  const float* const from =
      sums + segment * s.segment_sums() + s.SumPlace(row, unit);
  float sum = from[0];
  for (int split = 1; split < s.splits; ++split) {
    sum += from[split * s.segments_out * s.segment_sums()];
  }
  return sum;
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_PRODUCT_CUH_
