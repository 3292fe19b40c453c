// SPDX-License-Identifier: Apache-2.0

// The gradient of weights in bf16. Bound by memory at the sizes of a training
// batch, by one read of x and of dz: with k = 128 and n = 512 an event is
// 512 + 1,024 bytes and 131,000 operations. Rows of x are picked and rounded on
// their way to shared memory, and the blocks of the first tile of x sum the
// columns of dz that they have in registers anyway.
//
// A block makes a tile [128, 128] of dw over a chunk of the events; there are
// enough chunks that some 256 blocks share the work. A second launch adds the
// chunks in order; their traffic is at most 17 MB either way.

#include <algorithm>
#include <cstdint>

#include "kernels/gemm/gemm_mixed.h"
#include "kernels/gemm/gemm_tile.cuh"
#include "kernels/gemm/reduce_partials.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int64_t kBlocks = 256;
constexpr int64_t kLeastEvents = 256;  // of a chunk

struct Chunks {
  int64_t events_each;
  int64_t count;
};

Chunks MakeChunks(int64_t e, int64_t k, int64_t n) {
  const int64_t tiles = CeilDiv(k, kGemmTile) * CeilDiv(n, kGemmTile);
  const int64_t most =
      std::min(CeilDiv(kBlocks, tiles), CeilDiv(e, kLeastEvents));
  const int64_t each = CeilDiv(CeilDiv(e, most), kGemmDepth) * kGemmDepth;
  return {.events_each = each, .count = CeilDiv(e, each)};
}

struct Sizes {
  int64_t events, k, n, events_each;
  bool x_by_fours, dz_by_fours, dw_by_fours;
  bool column_sums;
};

// Where the part's rows of x lie, -1: zeros; those of the tile that begins at
// event `begin`.
__device__ inline void LoadRows(const int32_t* rows, int64_t begin, int64_t end,
                                int32_t (&row)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int64_t e = begin + WidePart::Row(i);
    row[i] = -1;
    if (e < end) row[i] = rows != nullptr ? rows[e] : static_cast<int32_t>(e);
  }
}

__device__ inline void LoadX(const float* x, const Sizes& sizes,
                             const int32_t (&row)[4], WidePart* part) {
  const int64_t column = int64_t{blockIdx.y} * kGemmTile + WidePart::Column();
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    part->x[i] = row[i] >= 0 ? LoadUpTo4(x + row[i] * sizes.k, column, sizes.k,
                                         sizes.x_by_fours)
                             : float4{};
  }
}

template <typename T>
__device__ inline void LoadDz(const T* dz, const Sizes& sizes, int64_t begin,
                              int64_t end, WidePart* part) {
  const int64_t column = int64_t{blockIdx.x} * kGemmTile + WidePart::Column();
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int64_t e = begin + WidePart::Row(i);
    part->x[i] = e < end ? LoadUpTo4(dz + e * sizes.n, column, sizes.n,
                                     sizes.dz_by_fours)
                         : float4{};
  }
}

// Sums of chunk blockIdx.z: partial[chunk, k, n], and with column_sums one more
// row of those of dz.
template <typename T>
__global__ void __launch_bounds__(kGemmThreads)
    WeightGradientKernel(const float* x, const int32_t* rows, const T* dz,
                         Sizes sizes, float* partial) {
  __shared__ __align__(16) uint32_t tiles_x[2][kGemmDepth * kWideWords];
  __shared__ __align__(16) uint32_t tiles_dz[2][kGemmDepth * kWideWords];
  const int64_t tile_row = int64_t{blockIdx.y} * kGemmTile;
  const int64_t tile_column = int64_t{blockIdx.x} * kGemmTile;
  const bool inside =
      tile_row + WarpRow() < sizes.k && tile_column + WarpColumn() < sizes.n;
  const bool column_sums = sizes.column_sums && blockIdx.y == 0;
  const int lane = threadIdx.x % 32;
  const int64_t begin = int64_t{blockIdx.z} * sizes.events_each;
  const int64_t end = min(begin + sizes.events_each, sizes.events);
  WarpSums sums = {};
  float4 column_sum = {};
  int32_t row[4];
  WidePart part_x, part_dz;
  LoadRows(rows, begin, end, row);
  LoadX(x, sizes, row, &part_x);
  LoadRows(rows, begin + kGemmDepth, end, row);
  LoadDz(dz, sizes, begin, end, &part_dz);
  int turn = 0;
  for (int64_t e = begin; e < end; e += kGemmDepth) {
    part_x.Store(tiles_x[turn]);
    part_dz.StorePaired(tiles_dz[turn]);
    if (column_sums) {
#pragma unroll
      for (int i = 0; i < 4; ++i) column_sum = Add(column_sum, part_dz.x[i]);
    }
    __syncthreads();
    // Past the end these are zeros, and no loads.
    LoadX(x, sizes, row, &part_x);
    LoadRows(rows, e + 2 * kGemmDepth, end, row);
    LoadDz(dz, sizes, e + kGemmDepth, end, &part_dz);
    if (inside) {
#pragma unroll
      for (int i = 0; i < kGemmDepth; i += 16) {
        uint32_t left[4][4];
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          LoadTransposed(
              left[j],
              tiles_x[turn] + PlaceWide(i + lane % 8 + lane / 16 * 8,
                                        WarpRow() / 8 + 2 * j + lane / 8 % 2));
        }
        MultiplyDepth(left, tiles_dz[turn], i, sums);
      }
    }
    turn = 1 - turn;
  }
  const int64_t rows_each = sizes.k + (sizes.column_sums ? 1 : 0);
  partial += int64_t{blockIdx.z} * rows_each * sizes.n;
#pragma unroll
  for (int group = 0; group < kSumGroups; ++group) {
    const int64_t column = tile_column + SumsColumn(group);
    ForEachSumsRow(sums, group, [&](int row_in_tile, float4 values) {
      const int64_t to = tile_row + row_in_tile;
      if (to >= sizes.k) return;
      StoreUpTo4(partial + to * sizes.n, column, sizes.n, sizes.dw_by_fours,
                 values);
    });
  }
  if (!column_sums) return;
  // The sums of the eight warps, in order.
  __syncthreads();
  float4* const warps = reinterpret_cast<float4*>(tiles_x[0]);
  warps[threadIdx.x] = column_sum;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  for (int i = 1; i < kGemmThreads / 32; ++i) {
    column_sum = Add(column_sum, warps[32 * i + threadIdx.x]);
  }
  StoreUpTo4(partial + sizes.k * sizes.n, tile_column + WidePart::Column(),
             sizes.n, sizes.dw_by_fours, column_sum);
}

}  // namespace

int64_t MixedWeightGradientScratch(int64_t e, int64_t k, int64_t n) {
  // A tile has at most 129 rows of 128 sums. Grows with all three, so that
  // scratch for the largest product serves the others.
  const int64_t row_sums = (k + 1) * n;
  return std::min(kBlocks * (kGemmTile + 1) * kGemmTile + row_sums,
                  CeilDiv(e, kLeastEvents) * row_sums);
}

absl::Status MixedWeightGradient(const Stream& stream,
                                 const WeightGradientArgs& args) {
  const int64_t e = args.dz.shape[0];
  const int64_t n = args.dz.shape[1];
  const int64_t k = args.dw.shape[0];
  CONTINUO_CHECK(args.dw.shape[1] == n && args.x.shape[1] == k);
  if (e == 0 || k * n == 0) return absl::OkStatus();
  const Chunks chunks = MakeChunks(e, k, n);
  const int64_t each = (k + (args.db ? 1 : 0)) * n;
  CONTINUO_CHECK(args.scratch.num_elements() >= chunks.count * each);
  const float* x = args.x.data<float>();
  float* partial = args.scratch.data<float>();
  const Sizes sizes = {.events = e,
                       .k = k,
                       .n = n,
                       .events_each = chunks.events_each,
                       .x_by_fours = ByFours(x, k),
                       .dz_by_fours = ByFours(args.dz.raw, n),
                       .dw_by_fours = ByFours(partial, n),
                       .column_sums = bool{args.db}};
  const dim3 grid(static_cast<unsigned>(CeilDiv(n, kGemmTile)),
                  static_cast<unsigned>(CeilDiv(k, kGemmTile)),
                  static_cast<unsigned>(chunks.count));
  const int32_t* rows = args.rows.data<int32_t>();
  if (args.dz.dtype == DType::kBfloat16) {
    WeightGradientKernel<<<grid, kGemmThreads, 0, stream.cuda->stream()>>>(
        x, rows, Data<__nv_bfloat16>(args.dz), sizes, partial);
  } else {
    WeightGradientKernel<<<grid, kGemmThreads, 0, stream.cuda->stream()>>>(
        x, rows, Data<float>(args.dz), sizes, partial);
  }
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return ReducePartials(stream, partial, chunks.count,
                        {.to = args.dw.data<float>(), .size = k * n},
                        {.to = args.db.data<float>(), .size = args.db ? n : 0});
}

}  // namespace continuo::gpu
