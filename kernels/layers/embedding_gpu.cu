// SPDX-License-Identifier: Apache-2.0

// Gather-sum: bound by loads of weight rows, which fit the level-1 cache (74
// rows of 2 KB in the melody networks); of the device's memory it needs one
// write of `out`. A warp owns a row and 128 (or 32) of its columns.
//
// Scatter-add: bound by memory, one read of dz. The rows are cut into chunks; a
// warp owns 32 columns of a chunk and adds its rows, in order, to sums
// [width, 32] in shared memory, so nothing is sorted and nothing is shared
// between threads. The sums of the chunks are then added in order. Chunks of
// at least 4 * width rows keep the traffic of these sums below half of dz's,
// and their length depends on nothing else, nor do the bits.

#include <algorithm>

#include "kernels/common/launch_shapes.h"
#include "kernels/common/vector_io.cuh"
#include "kernels/common/warp.cuh"
#include "kernels/gemm/reduce_partials.h"
#include "kernels/layers/embedding.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kGatherWarps = 8;
// Rows of dz that a warp of the scatter has in flight.
constexpr int kRowsAhead = 8;

// 32 entries at a time, one in each lane, handed out in turn.
class EntryReader {
 public:
  __device__ EntryReader(const int32_t* index, const float* value, int32_t end)
      : index_(index), value_(value), end_(end) {}
  // Entry e; called by the whole warp with ascending e.
  __device__ void Read(int32_t e, int32_t* index, float* value) {
    if (e >= begin_ + kWarp || e < begin_) {
      begin_ = e;
      const int32_t mine = e + static_cast<int32_t>(threadIdx.x);
      if (mine < end_) {
        lane_index_ = index_[mine];
        lane_value_ = value_[mine];
      }
    }
    *index = __shfl_sync(kAllLanes, lane_index_, e - begin_);
    *value = __shfl_sync(kAllLanes, lane_value_, e - begin_);
  }

 private:
  const int32_t* index_;
  const float* value_;
  int32_t end_;
  int32_t begin_ = 0x7fffffff - kWarp;  // none
  int32_t lane_index_ = 0;
  float lane_value_ = 0;
};

// kColumns neighbouring columns as one value.
template <int kColumns>
struct Columns;
template <>
struct Columns<1> {
  using Type = float;
  __device__ static float Load(const float* x) { return *x; }
  __device__ static float MulAdd(float a, float b, float c) {
    return fmaf(a, b, c);
  }
  template <typename T>
  __device__ static void Store(T* to, float x) {
    *to = FromFloat<T>(x);
  }
};
template <>
struct Columns<4> {
  using Type = float4;
  __device__ static float4 Load(const float* x) { return Load4(x); }
  __device__ static float4 MulAdd(float a, float4 b, float4 c) {
    return {fmaf(a, b.x, c.x), fmaf(a, b.y, c.y), fmaf(a, b.z, c.z),
            fmaf(a, b.w, c.w)};
  }
  template <typename T>
  __device__ static void Store(T* to, float4 x) {
    Store4(to, x);
  }
};

// The position of set bit `n` of `bits`; any position if there are fewer.
__device__ int NthSetBit(unsigned bits, int n) {
  int position = 0;
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const unsigned below = (1u << (position + step)) - 1;
    if (__popc(bits & below) <= n) position += step;
  }
  return position;
}

// Entries of value zero (kernels/decoding/input_feedback.h) are left out before
// their weight rows are read. Columns [blockIdx.y * 32 * kColumns, ...) of all
// rows, kColumns a lane.
template <typename Out, int kColumns>
__global__ void __launch_bounds__(kWarp* kGatherWarps)
    GatherSumKernel(const int32_t* row_begin, const int32_t* index,
                    const float* value, int64_t rows, const float* weights,
                    const float* bias, int64_t n, Out* out) {
  using Part = Columns<kColumns>;
  const int64_t column = (int64_t{blockIdx.y} * kWarp + threadIdx.x) * kColumns;
  const bool inside = column < n;
  // Lanes past the last column repeat the first.
  if (inside) {
    weights += column;
    bias += column;
  }
  const typename Part::Type first = Part::Load(bias);
  for (int64_t row = int64_t{blockIdx.x} * kGatherWarps + threadIdx.y;
       row < rows; row += int64_t{gridDim.x} * kGatherWarps) {
    const int32_t begin = row_begin[row];
    const int32_t end = row_begin[row + 1];
    typename Part::Type sum = first;
    // 32 entries at a time, one in each lane, handed out in turn.
    for (int32_t base = begin; base < end; base += kWarp) {
      int count = min(end - base, kWarp);
      const int lane = static_cast<int>(threadIdx.x);
      int32_t lane_index = lane < count ? index[base + lane] : 0;
      float lane_value = lane < count ? value[base + lane] : 0;
      const unsigned present = __ballot_sync(kAllLanes, lane_value != 0);
      const int found = __popc(present);
      if (found < count) {
        const int from = NthSetBit(present, lane);
        lane_index = __shfl_sync(kAllLanes, lane_index, from);
        lane_value = __shfl_sync(kAllLanes, lane_value, from);
        count = found;
      }
#pragma unroll 4
      for (int i = 0; i < count; ++i) {
        const int64_t from = __shfl_sync(kAllLanes, lane_index, i);
        const float scale = __shfl_sync(kAllLanes, lane_value, i);
        sum = Part::MulAdd(scale, Part::Load(weights + from * n), sum);
      }
    }
    if (inside) Part::Store(out + row * n + column, sum);
  }
}

// Sums of chunk blockIdx.y, columns [32 * blockIdx.x, ...): partial[chunk,
// width, n]. They are made in shared memory if it holds [width, 32] of them.
template <typename T, bool kShared>
__global__ void __launch_bounds__(kWarp)
    ScatterChunksKernel(const int32_t* row_begin, const int32_t* index,
                        const float* value, int64_t rows, int64_t chunk_rows,
                        const T* dz, int64_t width, int64_t n, float* partial) {
  extern __shared__ float shared_sums[];
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t column = int64_t{blockIdx.x} * kWarp + lane;
  const bool inside = column < n;
  partial += int64_t{blockIdx.y} * width * n + column;
  float* const sums = kShared ? shared_sums + lane : partial;
  const int64_t stride = kShared ? kWarp : n;
  if (kShared || inside) {
    for (int64_t i = 0; i < width; ++i) sums[i * stride] = 0;
  }
  const int64_t begin = int64_t{blockIdx.y} * chunk_rows;
  const int64_t end = begin + chunk_rows < rows ? begin + chunk_rows : rows;
  EntryReader entries(index, value, row_begin[end]);
  for (int64_t row = begin; row < end; row += kRowsAhead) {
    // Lane i holds the first entry of row + i, and of the row after the last.
    const int64_t mine = row + lane < end ? row + lane : end;
    const int32_t lane_begin = lane <= kRowsAhead ? row_begin[mine] : 0;
    float x[kRowsAhead];
#pragma unroll
    for (int i = 0; i < kRowsAhead; ++i) {
      const int32_t from = __shfl_sync(kAllLanes, lane_begin, i);
      const int32_t to = __shfl_sync(kAllLanes, lane_begin, i + 1);
      x[i] = 0;
      if (inside && from < to) x[i] = ToFloat(dz[(row + i) * n + column]);
    }
#pragma unroll
    for (int i = 0; i < kRowsAhead; ++i) {
      const int32_t from = __shfl_sync(kAllLanes, lane_begin, i);
      const int32_t to = __shfl_sync(kAllLanes, lane_begin, i + 1);
      for (int32_t e = from; e < to; ++e) {
        int32_t at;
        float scale;
        entries.Read(e, &at, &scale);
        float* sum = sums + at * stride;
        if (kShared || inside) *sum = fmaf(scale, x[i], *sum);
      }
    }
  }
  if constexpr (kShared) {
    if (!inside) return;
    for (int64_t i = 0; i < width; ++i) partial[i * n] = sums[i * stride];
  }
}

template <typename T, bool kShared>
absl::Status ScatterChunks(const Stream& stream, const ScatterAddArgs& args,
                           int64_t chunks, size_t shared_bytes) {
  const int64_t width = args.dw.shape[0];
  const int64_t n = args.dw.shape[1];
  if (kShared) {
    CONTINUO_RETURN_IF_CUDA_ERROR(
        cudaFuncSetAttribute(ScatterChunksKernel<T, kShared>,
                             cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shared_bytes)));
  }
  const dim3 grid(static_cast<unsigned>(CeilDiv(n, kWarp)),
                  static_cast<unsigned>(chunks));
  ScatterChunksKernel<T, kShared>
      <<<grid, kWarp, kShared ? shared_bytes : 0, stream.cuda->stream()>>>(
          args.inputs.row_begin.data<int32_t>(),
          args.inputs.index.data<int32_t>(), args.inputs.value.data<float>(),
          args.inputs.rows(), ScatterChunkRows(width), Data<T>(args.dz), width,
          n, args.scratch.data<float>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

template <typename T>
absl::Status ScatterChunks(const Stream& stream, const ScatterAddArgs& args,
                           int64_t chunks) {
  const int64_t bytes =
      ScatterSharedBytes(stream.cuda->properties(), args.dw.shape[0]);
  return bytes > 0 ? ScatterChunks<T, true>(stream, args, chunks,
                                            static_cast<size_t>(bytes))
                   : ScatterChunks<T, false>(stream, args, chunks, 0);
}

}  // namespace

absl::Status GatherSum(const Stream& stream, const GatherSumArgs& args) {
  const int64_t rows = args.inputs.rows();
  const int64_t n = args.weights.shape[1];
  CONTINUO_CHECK(args.out.shape[0] == rows && args.out.shape[1] == n);
  if (rows == 0) return absl::OkStatus();
  const float* weights = args.weights.data<float>();
  const float* bias = args.bias.data<float>();
  const auto gather = [&]<int kColumns, typename Out>(Out* out) {
    constexpr int64_t kMaxBlocks = 2048;
    const dim3 grid(static_cast<unsigned>(
                        std::min(CeilDiv(rows, kGatherWarps), kMaxBlocks)),
                    static_cast<unsigned>(CeilDiv(n, kWarp * kColumns)));
    GatherSumKernel<Out, kColumns>
        <<<grid, dim3(kWarp, kGatherWarps), 0, stream.cuda->stream()>>>(
            args.inputs.row_begin.data<int32_t>(),
            args.inputs.index.data<int32_t>(), args.inputs.value.data<float>(),
            rows, weights, bias, n, out);
  };
  const auto gather_as = [&]<typename Out>(Out* out) {
    if (ByFours(weights, n) && ByFours(bias, n) && ByFours(out, n)) {
      gather.template operator()<4>(out);
    } else {
      gather.template operator()<1>(out);
    }
  };
  if (args.out.dtype == DType::kBfloat16) {
    gather_as(Data<__nv_bfloat16>(args.out));
  } else {
    gather_as(Data<float>(args.out));
  }
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

int64_t ScatterAddScratch(int64_t rows, int64_t width, int64_t n) {
  return CeilDiv(rows, ScatterChunkRows(width)) * width * n;
}

absl::Status ScatterAdd(const Stream& stream, const ScatterAddArgs& args) {
  const int64_t rows = args.inputs.rows();
  const int64_t width = args.dw.shape[0];
  const int64_t n = args.dw.shape[1];
  CONTINUO_CHECK(args.dz.shape[0] == rows && args.dz.shape[1] == n);
  CONTINUO_CHECK(args.scratch.num_elements() >=
                 ScatterAddScratch(rows, width, n));
  if (rows == 0 || width * n == 0) return absl::OkStatus();
  const int64_t chunks = CeilDiv(rows, ScatterChunkRows(width));
  CONTINUO_RETURN_IF_ERROR(
      args.dz.dtype == DType::kBfloat16
          ? ScatterChunks<__nv_bfloat16>(stream, args, chunks)
          : ScatterChunks<float>(stream, args, chunks));
  return ReducePartials(stream, args.scratch.data<float>(), chunks,
                        {.to = args.dw.data<float>(), .size = width * n});
}

}  // namespace continuo::gpu
