// Products of the attention cell's step: few rows (at most 8) times weights
// that never change, which lie in the order in which lanes read them.
//
// A tile is 16 output units times as many inputs as give each lane two 16-byte
// vectors: two mma.sync (weights are their left operand, rows the 8 columns of
// the right one), or 16 chains of fused multiply-adds in fp32. The inputs of a
// tile are permuted so that a lane reads its operands as one vector, too.

#ifndef CONTINUO_KERNELS_ATTENTION_PRODUCT_CUH_
#define CONTINUO_KERNELS_ATTENTION_PRODUCT_CUH_

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/attention_launch.h"
#include "kernels/mma.cuh"
#include "runtime/device.h"

namespace continuo::gpu {

template <Precision kPrecision>
struct OperandOf {
  using Type = float;
};
template <>
struct OperandOf<Precision::kBf16> {
  using Type = __nv_bfloat16;
};
template <Precision kPrecision>
using Operand = typename OperandOf<kPrecision>::Type;

inline constexpr int kTileUnits = 16;
inline constexpr int kTileVectors = 64;
template <Precision kPrecision>
inline constexpr int kTileInputs = kPrecision == Precision::kBf16 ? 32 : 16;

template <Precision kPrecision>
__device__ inline Operand<kPrecision> ToOperand(float x) {
  if constexpr (kPrecision == Precision::kBf16) {
    return __float2bfloat16(x);
  } else if constexpr (kPrecision == Precision::kTf32) {
    return __uint_as_float(ToTf32(x));
  } else {
    return x;
  }
}

// Where element `element` of a stored tile comes from.
struct TileElement {
  int unit;
  int input;
};
template <Precision kPrecision>
__device__ inline TileElement TileSource(int element) {
  constexpr int kEach = kPrecision == Precision::kBf16 ? 8 : 4;
  const int vector = element / kEach;
  const int word = element % kEach;
  if constexpr (kPrecision == Precision::kFp32) {
    return {vector % 16, vector / 16 * 4 + word};
  } else {
    const int lane = vector % 32;
    const int mma = vector / 32;
    // A register holds one or two inputs of one unit; the four are units g and
    // g + 8 of the lower inputs, then of the upper ones.
    constexpr int kHalves = kEach / 4;
    const int reg = word / kHalves;
    return {
        lane / 4 + (reg & 1) * 8,
        lane % 4 * kEach + (mma * 2 + (reg >> 1)) * kHalves + word % kHalves};
  }
}

// sum += tile of weights times rows. Lane 4 g + t holds the sums of units g
// (elements 0, 1) and g + 8 (2, 3) for rows 2 t and 2 t + 1. `row0` is row
// lane / 4 of the operands (fp32: row 2 t, and `row1` row 2 t + 1) at the
// tile's first input.
template <Precision kPrecision>
__device__ inline void AddTile(const uint4* tile, int lane,
                               const Operand<kPrecision>* row0,
                               const Operand<kPrecision>* row1,
                               float (&sum)[4]) {
  if constexpr (kPrecision == Precision::kFp32) {
    const float4* weights = reinterpret_cast<const float4*>(tile) + lane / 4;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float4 low = weights[i * 16];
      const float4 high = weights[i * 16 + 8];
      const float4 x = reinterpret_cast<const float4*>(row0)[i];
      const float4 y = reinterpret_cast<const float4*>(row1)[i];
      const auto chain = [](const float4& a, const float4& b, float* to) {
        *to = fmaf(a.x, b.x, *to);
        *to = fmaf(a.y, b.y, *to);
        *to = fmaf(a.z, b.z, *to);
        *to = fmaf(a.w, b.w, *to);
      };
      chain(low, x, &sum[0]);
      chain(low, y, &sum[1]);
      chain(high, x, &sum[2]);
      chain(high, y, &sum[3]);
    }
  } else {
    const uint4 first = tile[lane];
    const uint4 second = tile[lane + 32];
    const uint4 x = reinterpret_cast<const uint4*>(row0)[lane % 4];
    if constexpr (kPrecision == Precision::kBf16) {
      MmaBf16(sum, &first.x, x.x, x.y);
      MmaBf16(sum, &second.x, x.z, x.w);
    } else {
      MmaTf32(sum, &first.x, x.x, x.y);
      MmaTf32(sum, &second.x, x.z, x.w);
    }
  }
}

// One product of a block: rows times [segments_in, P] x [segments_out, U].
struct ProductShape {
  int segments_in;
  int segments_out;
  int splits;
};

// Puts the sums of `splits` parts of the inputs into sums
// [splits, segments_out, rows, U + 4]. Input segment 0 begins at operand
// `first` of a row, the others one after the other at `others`.
template <Precision kPrecision>
__device__ inline void Product(const AttentionLayout& layout,
                               const ProductShape& shape, const uint4* weights,
                               const Operand<kPrecision>* operands, int first,
                               int others, int units, float* sums) {
  constexpr int kInputs = kTileInputs<kPrecision>;
  const int lane = threadIdx.x % 32;
  const int rows = layout.rows;
  const int unit_tiles = units / kTileUnits;
  const int tiles = shape.segments_out * unit_tiles;
  const int segment_chunks = layout.padded / kInputs;
  const int chunks = shape.segments_in * segment_chunks;
  // With fewer than 8 rows some lanes read a row twice, to no effect.
  const bool exact = kPrecision == Precision::kFp32;
  const int row0 = exact ? lane % 4 * 2 : lane / 4;
  const int row1 = row0 + 1;
  const int stride = layout.operand_stride;
  const Operand<kPrecision>* const x = operands + min(row0, rows - 1) * stride;
  const Operand<kPrecision>* const y = operands + min(row1, rows - 1) * stride;
  for (int task = threadIdx.x / 32; task < tiles * shape.splits;
       task += kAttentionThreads / 32) {
    const int tile = task % tiles;
    const int split = task / tiles;
    const int begin = split * chunks / shape.splits;
    const int end = (split + 1) * chunks / shape.splits;
    const uint4* const from = weights + int64_t{tile} * chunks * kTileVectors;
    float sum[4] = {};
    // fp32 tiles have 16 loads each in flight already.
    constexpr int kUnroll = kPrecision == Precision::kFp32 ? 1 : 4;
#pragma unroll kUnroll
    for (int chunk = begin; chunk < end; ++chunk) {
      const int at = (chunk < segment_chunks ? first : others - layout.padded) +
                     chunk * kInputs;
      AddTile<kPrecision>(from + chunk * kTileVectors, lane, x + at, y + at,
                          sum);
    }
    const int segment = tile / unit_tiles;
    const int unit = tile % unit_tiles * kTileUnits + lane / 4;
    const int row = lane % 4 * 2;
    float* const to =
        sums +
        ((split * shape.segments_out + segment) * rows + row) * (units + 4) +
        unit;
    if (row < rows) {
      to[0] = sum[0];
      to[8] = sum[2];
    }
    if (row + 1 < rows) {
      to[units + 4] = sum[1];
      to[units + 4 + 8] = sum[3];
    }
  }
}

// The sum of all parts for a unit of an output segment.
__device__ inline float SumOf(const AttentionLayout& layout,
                              const ProductShape& shape, const float* sums,
                              int segment, int row, int units, int unit) {
  const int stride = layout.rows * (units + 4);
  const float* const from = sums + segment * stride + row * (units + 4) + unit;
  float sum = 0;
  for (int split = 0; split < shape.splits; ++split) {
    sum += from[split * shape.segments_out * stride];
  }
  return sum;
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_PRODUCT_CUH_
