// Bound by memory at the sizes of a training batch: with n = 512 and k = 128 an
// event is 512 + 1,024 bytes and 131,000 operations, a third of what the tensor
// cores of an H100 do in that time. So each array is moved once, in the type it
// has: operands are rounded on their way to shared memory, the bias is added to
// the sums in registers.
//
// A block makes a tile [128, 128] of c, its eight warps [64, 32] each, by
// mma.sync m16n8k16. Tiles of the next 32 of the summed index are on their way
// in registers while the current ones are multiplied. Shared memory is read by
// ldmatrix and swizzled by chunks of 16 bytes so that no access has conflicts.

#include <cstdint>

#include "kernels/gemm_mixed.h"
#include "kernels/mma.cuh"
#include "kernels/vector_io.cuh"
#include "runtime/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 128;  // rows and columns of c
constexpr int kDepth = 32;  // of the summed index
// 32-bit words of a row of the tiles of a, [kTile, kDepth], and b.
constexpr int kWordsA = kDepth / 2;
constexpr int kWordsB = kTile / 2;

// LoadMatrices of the transposes of the four.
__device__ inline void LoadTransposed(uint32_t (&to)[4], const uint32_t* row) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
      : "r"(SharedAddress(row))
      : "memory");
}

// Where chunk `chunk` (of 16 bytes) of a row of a tile begins, in words.
__device__ inline int PlaceA(int row, int chunk) {
  return row * kWordsA + (chunk ^ (row >> 1 & 3)) * 4;
}
__device__ inline int PlaceB(int row, int chunk) {
  return row * kWordsB + (chunk ^ ((row ^ chunk >> 3) & 7)) * 4;
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
          int64_t{blockIdx.y} * kTile + threadIdx.x / 8 + 32 * i;
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

// The same of b: four columns of every eighth row. Of the columns 4t to 4t + 3
// of a group of 16, the first two go to the first matrix of the group and the
// others to the second, so that a lane ends up with sums of four neighbours.
struct PartOfB {
  __device__ void Load(const float* b, const Sizes& sizes, int64_t depth) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int64_t row = depth + threadIdx.x / 32 + 8 * i;
      const int64_t column = int64_t{blockIdx.x} * kTile + threadIdx.x % 32 * 4;
      x[i] = row < sizes.k ? LoadUpTo4(b + row * sizes.n, column, sizes.n,
                                       sizes.b_by_fours)
                           : float4{};
    }
  }
  __device__ void Store(uint32_t* tile) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = threadIdx.x / 32 + 8 * i;
      const int group = threadIdx.x % 32 / 4;
      const int t = threadIdx.x % 4;
      tile[PlaceB(row, 2 * group) + t] = ToBf16Pair(x[i].x, x[i].y);
      tile[PlaceB(row, 2 * group + 1) + t] = ToBf16Pair(x[i].z, x[i].w);
    }
  }
  float4 x[4];
};

// sums += the warp's part of a product of tiles.
__device__ inline void MultiplyTiles(const uint32_t* a, const uint32_t* b,
                                     int warp_row, int warp_column,
                                     float (&sums)[4][4][4]) {
  const int lane = threadIdx.x % 32;
  const int row = lane % 16;    // of two matrices, one below the other
  const int right = lane / 16;  // whether the matrix is one of the right two
#pragma unroll
  for (int depth = 0; depth < kDepth; depth += 16) {
    uint32_t left[4][4];
    uint32_t above[2][4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      LoadMatrices(left[i],
                   a + PlaceA(warp_row + 16 * i + row, depth / 8 + right));
    }
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      LoadTransposed(above[j],
                     b + PlaceB(depth + row, warp_column / 8 + 2 * j + right));
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        MmaBf16(sums[i][j], left[i], above[j / 2][j % 2 * 2],
                above[j / 2][j % 2 * 2 + 1]);
      }
    }
  }
}

// c = or += (with `accumulate`) a b + bias.
template <typename A, typename C>
__global__ void __launch_bounds__(kThreads)
    MixedGemmKernel(const A* a, const float* b, const float* bias, C* c,
                    Sizes sizes, bool accumulate) {
  __shared__ __align__(16) uint32_t tiles_a[2][kTile * kWordsA];
  __shared__ __align__(16) uint32_t tiles_b[2][kDepth * kWordsB];
  const int warp = threadIdx.x / 32;
  const int warp_row = warp / 4 * 64;
  const int warp_column = warp % 4 * 32;
  const bool inside = int64_t{blockIdx.y} * kTile + warp_row < sizes.m &&
                      int64_t{blockIdx.x} * kTile + warp_column < sizes.n;
  float sums[4][4][4] = {};
  PartOfA<A> part_a;
  PartOfB part_b;
  part_a.Load(a, sizes, 0);
  part_b.Load(b, sizes, 0);
  int turn = 0;
  for (int64_t depth = 0; depth < sizes.k; depth += kDepth) {
    part_a.Store(tiles_a[turn]);
    part_b.Store(tiles_b[turn]);
    __syncthreads();
    // Past the end these are zeros, and no loads.
    part_a.Load(a, sizes, depth + kDepth);
    part_b.Load(b, sizes, depth + kDepth);
    if (inside) {
      MultiplyTiles(tiles_a[turn], tiles_b[turn], warp_row, warp_column, sums);
    }
    turn = 1 - turn;
  }
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int group = 0; group < 2; ++group) {
    const int64_t column =
        int64_t{blockIdx.x} * kTile + warp_column + 16 * group + lane % 4 * 4;
    float4 first = {};
    if (bias != nullptr) {
      first = LoadUpTo4(bias, column, sizes.n, sizes.b_by_fours);
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int64_t row =
          int64_t{blockIdx.y} * kTile + warp_row + 8 * i + lane / 4;
      if (row >= sizes.m || column >= sizes.n) continue;
      const float* low = sums[i / 2][2 * group] + i % 2 * 2;
      const float* high = sums[i / 2][2 * group + 1] + i % 2 * 2;
      float4 x = {low[0] + first.x, low[1] + first.y, high[0] + first.z,
                  high[1] + first.w};
      C* to = c + row * sizes.n + column;
      if (accumulate) {
        const float4 old =
            LoadUpTo4(c + row * sizes.n, column, sizes.n, sizes.c_by_fours);
        x = {old.x + x.x, old.y + x.y, old.z + x.z, old.w + x.w};
      }
      if (sizes.c_by_fours) {
        Store4(to, x);
        continue;
      }
      to[0] = FromFloat<C>(x.x);
      if (column + 1 < sizes.n) to[1] = FromFloat<C>(x.y);
      if (column + 2 < sizes.n) to[2] = FromFloat<C>(x.z);
      if (column + 3 < sizes.n) to[3] = FromFloat<C>(x.w);
    }
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
  const dim3 grid(static_cast<unsigned>(CeilDiv(sizes.n, kTile)),
                  static_cast<unsigned>(CeilDiv(sizes.m, kTile)));
  MixedGemmKernel<A, C><<<grid, kThreads, 0, stream.cuda->stream()>>>(
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
