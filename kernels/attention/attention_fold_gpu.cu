// SPDX-License-Identifier: Apache-2.0

// Bound by launches: 5 n^2 chains of length i or n, and 14 n^2 weights.

#include "kernels/attention/attention_fold.cuh"
#include "kernels/attention/attention_product.cuh"
#include "kernels/common/precision.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// Segments of the scratch, in floats, each a multiple of 16 bytes.
int64_t RoundUp(int64_t floats) { return CeilDiv(floats, 4) * 4; }
int64_t PackedFloats(int64_t n) {
  const int64_t padded = AttentionPadded(n);
  return padded * padded * kFoldedSegments;
}

// One product to fold: c [rows, columns] = a [rows, depth] b [depth, columns].
struct FoldProduct {
  const float* a;
  const float* b;
  float* c;
  int rows;
  int columns;
  int depth;
};
constexpr int kFolds = 4;
struct FoldProducts {
  FoldProduct products[kFolds];
};

// An element a thread, a product a row of blocks.
__global__ void FoldKernel(const __grid_constant__ FoldProducts folds) {
  const FoldProduct& p = folds.products[blockIdx.y];
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= int64_t{p.rows} * p.columns) return;
  const float* const a = p.a + at / p.columns * p.depth;
  const float* const b = p.b + at % p.columns;
  float sum = 0;
#pragma unroll 8
  for (int k = 0; k < p.depth; ++k) {
    sum = fmaf(a[k], b[int64_t{k} * p.columns], sum);
  }
  p.c[at] = sum;
}

// The forward products' weights, [in, out] each.
struct FoldedMatrices {
  const float* attention_to_gates;  // [n, 4n]
  const float* recurrent;           // [n, 4n]
  const float* attention_to_out;    // [n, n], as the rest
  const float* h_to_out;
  const float* attention_to_projected;
  const float* h_to_projected;
  const float* h_to_query;
  const float* c_to_query;

  // From unit `in` of input segment `segment_in` to unit `out` of an output
  // segment.
  __device__ float Wide(int n, int segment_in, int in, int segment_out,
                        int out) const {
    const bool from_h = segment_in == 1;
    if (segment_out < 4) {
      return (from_h ? recurrent : attention_to_gates)[int64_t{in} * 4 * n +
                                                       segment_out * n + out];
    }
    const float* const matrix =
        segment_out == 4 ? (from_h ? h_to_out : attention_to_out)
                         : (from_h ? h_to_projected : attention_to_projected);
    return matrix[int64_t{in} * n + out];
  }
  __device__ float Narrow(int n, int segment_in, int in, int out) const {
    return (segment_in == 0 ? h_to_query : c_to_query)[int64_t{in} * n + out];
  }
};

struct PackShape {
  int n;
  int padded;
  int units;
  bool backward;
  int64_t wide_elements;
  int64_t elements;
};

// Backward multiplies by the transposes: the roles of segments and units swap.
template <Precision kPrecision>
__global__ void PackTilesKernel(const __grid_constant__ FoldedMatrices from,
                                const __grid_constant__ PackShape s,
                                Operand<kPrecision>* wide,
                                Operand<kPrecision>* narrow) {
  constexpr int kInputs = kAttentionTileInputs<kPrecision>;
  constexpr int kElements = kAttentionTileUnits * kInputs;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       i < s.elements; i += step) {
    const bool is_wide = i < s.wide_elements;
    const int64_t at = is_wide ? i : i - s.wide_elements;
    const int forward_in = is_wide ? kWideIn : kNarrowIn;
    const int forward_out = is_wide ? kWideOut : kNarrowOut;
    const int segments_in = s.backward ? forward_out : forward_in;
    const int segments_out = s.backward ? forward_in : forward_out;
    const int chunks = segments_in * s.padded / kInputs;
    const int unit_tiles = s.units / kAttentionTileUnits;
    const TileElement element =
        TileSource<kPrecision>(static_cast<int>(at % kElements));
    int64_t tile = at / kElements;
    const int input = static_cast<int>(tile % chunks) * kInputs + element.input;
    tile /= chunks;
    const int tile_of_block =
        static_cast<int>(tile % (segments_out * unit_tiles));
    const int block = static_cast<int>(tile / (segments_out * unit_tiles));
    const int out = block * s.units +
                    tile_of_block % unit_tiles * kAttentionTileUnits +
                    element.unit;
    const int segment_out = tile_of_block / unit_tiles;
    const int segment_in = input / s.padded;
    const int in = input % s.padded;
    float value = 0;
    if (in < s.n && out < s.n) {
      if (is_wide) {
        value = s.backward ? from.Wide(s.n, segment_out, out, segment_in, in)
                           : from.Wide(s.n, segment_in, in, segment_out, out);
      } else {
        value = s.backward ? from.Narrow(s.n, segment_out, out, in)
                           : from.Narrow(s.n, segment_in, in, out);
      }
    }
    (is_wide ? wide : narrow)[at] = ToOperand<kPrecision>(value);
  }
}

}  // namespace

int64_t AttentionScratch(int64_t e, int64_t n, int64_t) {
  return RoundUp(4 * n * n) + 2 * RoundUp(n * n) + RoundUp(n) +
         PackedFloats(n) + e * n;
}

absl::Status FoldAttention(const Stream& stream, AttentionPass pass,
                           const AttentionWeights& weights,
                           const AttentionLayout& layout, int64_t n,
                           const TensorView& scratch, AttentionFolded* folded) {
  const int64_t width = weights.attention_to_x.num_elements() / n;
  float* at = scratch.data<float>();
  CONTINUO_CHECK(scratch.num_elements() >= AttentionScratch(0, n, width));
  const auto take = [&](int64_t floats) {
    float* const here = at;
    at += RoundUp(floats);
    return here;
  };
  folded->attention_to_gates = take(4 * n * n);
  folded->h_to_projected = take(n * n);
  folded->attention_to_projected = take(n * n);
  folded->projected_bias = take(n);
  float* const packed = take(PackedFloats(n));
  folded->rest = at;

  const int units = static_cast<int>(n);
  const auto data = [](const TensorView& view) { return view.data<float>(); };
  const FoldProducts folds = {
      {{data(weights.attention_to_x), data(weights.x_to_gates),
        folded->attention_to_gates, units, 4 * units, static_cast<int>(width)},
       {data(weights.h_to_out), data(weights.project), folded->h_to_projected,
        units, units, units},
       {data(weights.attention_to_out), data(weights.project),
        folded->attention_to_projected, units, units, units},
       {data(weights.out_bias), data(weights.project), folded->projected_bias,
        1, units, units}}};
  const dim3 grid(static_cast<unsigned>(CeilDiv(4 * n * n, kThreads)), kFolds);
  FoldKernel<<<grid, kThreads, 0, stream.cuda->stream()>>>(folds);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();

  const FoldedMatrices matrices = {
      .attention_to_gates = folded->attention_to_gates,
      .recurrent = data(weights.recurrent),
      .attention_to_out = data(weights.attention_to_out),
      .h_to_out = data(weights.h_to_out),
      .attention_to_projected = folded->attention_to_projected,
      .h_to_projected = folded->h_to_projected,
      .h_to_query = data(weights.h_to_query),
      .c_to_query = data(weights.c_to_query)};
  const int64_t segment = int64_t{layout.padded} * layout.padded;
  const PackShape shape = {.n = units,
                           .padded = layout.padded,
                           .units = layout.units,
                           .backward = pass == AttentionPass::kBackward,
                           .wide_elements = segment * kWideIn * kWideOut,
                           .elements = segment * kFoldedSegments};
  const auto pack = [&]<Precision kPrecision>() {
    auto* const wide = reinterpret_cast<Operand<kPrecision>*>(packed);
    auto* const narrow = wide + shape.wide_elements;
    folded->wide = reinterpret_cast<uint4*>(wide);
    folded->narrow = reinterpret_cast<uint4*>(narrow);
    PackTilesKernel<kPrecision>
        <<<GridSize(shape.elements, kThreads), kThreads, 0,
           stream.cuda->stream()>>>(matrices, shape, wide, narrow);
  };
  WithPrecision(stream.options.precision, pack);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
