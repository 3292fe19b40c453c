// SPDX-License-Identifier: Apache-2.0

// Bound by memory at the sizes of a training batch: with n = 512 and k = 128 an
// event is 512 + 1,024 bytes and 131,000 operations, a third of what the tensor
// cores of an H100 do in that time. So each array is moved once, in the type it
// has: operands are rounded on their way to shared memory, the bias is added to
// the sums in registers.
//
// A block makes a tile [128, 128] of c by mma.sync m16n8k16. Tiles of the next
// 32 of the summed index are on their way in registers while the current ones
// are multiplied. Shared memory is read by ldmatrix and swizzled by chunks of
// 16 bytes against bank conflicts.

#include <cstdint>

#include "kernels/gemm/gemm_mixed.h"
#include "kernels/gemm/gemm_tile.cuh"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

// 32-bit words of a row of the tile of a, [kGemmTile, kGemmDepth].
constexpr int kWordsA = kGemmDepth / 2;

// Where chunk `chunk` (of 16 bytes) of a row of the tile of a begins, in words.
__device__ inline int PlaceA(int row, int chunk) {
  return row * kWordsA + (chunk ^ (row >> 1 & 3)) * 4;
}

struct Sizes {
  int64_t m, n, k;
  bool a_by_fours, b_by_fours, c_by_fours;
};

// A thread's part of a tile of a: four elements of every 32nd row.
template <typename T>
struct PartOfA {
  __device__ void Load(const T* a, const Sizes& sizes, int64_t depth) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int64_t row =
          int64_t{blockIdx.y} * kGemmTile + threadIdx.x / 8 + 32 * i;
      const int64_t column = depth + threadIdx.x % 8 * 4;
      x[i] = row < sizes.m ? LoadUpTo4(a + row * sizes.k, column, sizes.k,
                                       sizes.a_by_fours)
                           : float4{};
    }
  }
  __device__ void Store(uint32_t* tile) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = threadIdx.x / 8 + 32 * i;
      const int part = threadIdx.x % 8;
      *reinterpret_cast<uint2*>(tile + PlaceA(row, part / 2) + part % 2 * 2) = {
          ToBf16Pair(x[i].x, x[i].y), ToBf16Pair(x[i].z, x[i].w)};
    }
  }
  float4 x[4];
};

__device__ inline void LoadPartOfB(const float* b, const Sizes& sizes,
                                   int64_t depth, WidePart* part) {
  const int64_t column = int64_t{blockIdx.x} * kGemmTile + WidePart::Column();
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int64_t row = depth + WidePart::Row(i);
    part->x[i] = row < sizes.k ? LoadUpTo4(b + row * sizes.n, column, sizes.n,
                                           sizes.b_by_fours)
                               : float4{};
  }
}

// c = or += (with `accumulate`) a b + bias.
template <typename A, typename C>
__global__ void __launch_bounds__(kGemmThreads)
    MixedGemmKernel(const A* a, const float* b, const float* bias, C* c,
                    Sizes sizes, bool accumulate) {
  __shared__ __align__(16) uint32_t tiles_a[2][kGemmTile * kWordsA];
  __shared__ __align__(16) uint32_t tiles_b[2][kGemmDepth * kWideWords];
  const int64_t tile_row = int64_t{blockIdx.y} * kGemmTile;
  const int64_t tile_column = int64_t{blockIdx.x} * kGemmTile;
  const bool inside =
      tile_row + WarpRow() < sizes.m && tile_column + WarpColumn() < sizes.n;
  const int lane = threadIdx.x % 32;
  WarpSums sums = {};
  PartOfA<A> part_a;
  WidePart part_b;
  part_a.Load(a, sizes, 0);
  LoadPartOfB(b, sizes, 0, &part_b);
  int turn = 0;
  for (int64_t depth = 0; depth < sizes.k; depth += kGemmDepth) {
    part_a.Store(tiles_a[turn]);
    part_b.StorePaired(tiles_b[turn]);
    __syncthreads();
    // Past the end these are zeros, and no loads.
    part_a.Load(a, sizes, depth + kGemmDepth);
    LoadPartOfB(b, sizes, depth + kGemmDepth, &part_b);
    if (inside) {
#pragma unroll
      for (int i = 0; i < kGemmDepth; i += 16) {
        uint32_t left[4][4];
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          LoadMatrices(left[j],
                       tiles_a[turn] + PlaceA(WarpRow() + 16 * j + lane % 16,
                                              i / 8 + lane / 16));
        }
        MultiplyDepth(left, tiles_b[turn], i, sums);
      }
    }
    turn = 1 - turn;
  }
#pragma unroll
  for (int group = 0; group < kSumGroups; ++group) {
    const int64_t column = tile_column + SumsColumn(group);
    float4 first = {};
    if (bias != nullptr) {
      first = LoadUpTo4(bias, column, sizes.n, sizes.b_by_fours);
    }
    ForEachSumsRow(sums, group, [&](int row_in_tile, float4 x) {
      const int64_t row = tile_row + row_in_tile;
      if (row >= sizes.m) return;
      C* to = c + row * sizes.n;
      if (accumulate) {
        x = Add(x, LoadUpTo4(to, column, sizes.n, sizes.c_by_fours));
      }
      StoreUpTo4(to, column, sizes.n, sizes.c_by_fours, Add(x, first));
    });
  }
}

template <typename A, typename C>
absl::Status MixedGemm(const Stream& stream, const GemmArgs& args) {
  const float* b = args.b.data<float>();
  const float* bias = args.bias.data<float>();
  const int64_t k = args.a.shape[1];
  const int64_t n = args.c.shape[1];
  const Sizes sizes = {.m = args.a.shape[0],
                       .n = n,
                       .k = k,
                       .a_by_fours = ByFours(args.a.raw, k),
                       .b_by_fours = ByFours(b, n) && ByFours(bias, n),
                       .c_by_fours = ByFours(args.c.raw, n)};
  const dim3 grid(static_cast<unsigned>(CeilDiv(sizes.n, kGemmTile)),
                  static_cast<unsigned>(CeilDiv(sizes.m, kGemmTile)));
  MixedGemmKernel<A, C><<<grid, kGemmThreads, 0, stream.cuda->stream()>>>(
      Data<A>(args.a), b, bias, Data<C>(args.c), sizes, args.accumulate);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace

absl::Status MixedGemm(const Stream& stream, const GemmArgs& args) {
  CONTINUO_CHECK(args.b.num_elements() == args.a.shape[1] * args.c.shape[1]);
  if (args.c.num_elements() == 0) return absl::OkStatus();
  const bool narrow_c = args.c.dtype == DType::kBfloat16;
  if (args.a.dtype == DType::kBfloat16) {
    return narrow_c ? MixedGemm<__nv_bfloat16, __nv_bfloat16>(stream, args)
                    : MixedGemm<__nv_bfloat16, float>(stream, args);
  }
  return narrow_c ? MixedGemm<float, __nv_bfloat16>(stream, args)
                  : MixedGemm<float, float>(stream, args);
}

}  // namespace continuo::gpu
