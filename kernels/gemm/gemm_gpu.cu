// SPDX-License-Identifier: Apache-2.0

// Dense products by cuBLAS (in bf16: gemm_mixed_gpu.cu and
// weight_gradient_gpu.cu): bound by arithmetic at the sizes of a training batch
// (k and n of 128 and more), by the weights' bytes in decoding.
//
// Bias rows are put into c first, one write of c that the product then reads.
// Column sums (bias gradients) are bound by the bytes of dz, read once: each
// block sums a chunk of rows, a second launch adds the chunks in order.

#include <algorithm>

#include "kernels/common/vector_io.cuh"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_mixed.h"
#include "kernels/gemm/reduce_partials.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kTile = 32;
constexpr int64_t kRowsOfBlock = 8;
// Rows of a column-sum block, and how many chunks of them there can be.
constexpr int kSumThreadsY = 8;
constexpr int64_t kMaxChunks = 64;

__global__ void TransposeKernel(const float* in, int64_t rows, int64_t columns,
                                float* out) {
  __shared__ float tile[kTile][kTile + 1];
  const int64_t column = int64_t{blockIdx.x} * kTile + threadIdx.x;
  for (int i = threadIdx.y; i < kTile; i += blockDim.y) {
    const int64_t row = int64_t{blockIdx.y} * kTile + i;
    if (row < rows && column < columns) {
      tile[i][threadIdx.x] = in[row * columns + column];
    }
  }
  __syncthreads();
  const int64_t out_column = int64_t{blockIdx.y} * kTile + threadIdx.x;
  for (int i = threadIdx.y; i < kTile; i += blockDim.y) {
    const int64_t out_row = int64_t{blockIdx.x} * kTile + i;
    if (out_row < columns && out_column < rows) {
      out[out_row * rows + out_column] = tile[threadIdx.x][i];
    }
  }
}

// Rows that a thread has: every blockDim.y * gridDim.x-th, of one column; a
// column is a V of neighbouring elements.
template <typename V>
__global__ void BiasRowsKernel(const V* bias, int64_t rows, int64_t columns,
                               V* c) {
  const int64_t column = int64_t{blockIdx.y} * kTile + threadIdx.x;
  if (column >= columns) return;
  const V value = bias[column];
  for (int64_t row = int64_t{blockIdx.x} * blockDim.y + threadIdx.y; row < rows;
       row += int64_t{gridDim.x} * blockDim.y) {
    c[row * columns + column] = value;
  }
}

// out[i] = x[from[i]], or zeros where that is negative.
template <typename V>
__global__ void TakeRowsKernel(const V* x, const int32_t* from, int64_t rows,
                               int64_t columns, V* out) {
  const int64_t column = int64_t{blockIdx.y} * kTile + threadIdx.x;
  if (column >= columns) return;
#pragma unroll 4
  for (int64_t row = int64_t{blockIdx.x} * blockDim.y + threadIdx.y; row < rows;
       row += int64_t{gridDim.x} * blockDim.y) {
    const int64_t source = from[row];
    out[row * columns + column] =
        source >= 0 ? x[source * columns + column] : V{};
  }
}

// Sums of chunk blockIdx.y of the rows: partial[chunk, columns].
template <typename T>
__global__ void ColumnSumsKernel(const T* x, int64_t rows, int64_t columns,
                                 int64_t rows_each, float* partial) {
  __shared__ float sums[kSumThreadsY][kTile];
  const int64_t column = int64_t{blockIdx.x} * kTile + threadIdx.x;
  const int64_t begin = int64_t{blockIdx.y} * rows_each;
  const int64_t end = begin + rows_each < rows ? begin + rows_each : rows;
  float sum = 0;
  if (column < columns) {
    for (int64_t row = begin + threadIdx.y; row < end; row += kSumThreadsY) {
      sum += ToFloat(x[row * columns + column]);
    }
  }
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= columns) return;
  for (int i = 1; i < kSumThreadsY; ++i) sum += sums[i][threadIdx.x];
  partial[int64_t{blockIdx.y} * columns + column] = sum;
}

// Calls launch(grid, block, number of Vs in a row, a V*) for the kernels on
// rows above, with the widest V that the arrays allow. `aligned` is their
// common ByFours.
template <typename Launch>
absl::Status LaunchOnRows(int64_t rows, int64_t columns, bool aligned,
                          const Launch& launch) {
  constexpr int64_t kMaxBlocks = 1024;
  const int64_t wide = aligned ? columns / 4 : columns;
  const dim3 grid(
      static_cast<unsigned>(std::min(CeilDiv(rows, kRowsOfBlock), kMaxBlocks)),
      static_cast<unsigned>(CeilDiv(wide, kTile)));
  const dim3 block(kTile, kRowsOfBlock);
  if (aligned) {
    launch(grid, block, wide, static_cast<float4*>(nullptr));
  } else {
    launch(grid, block, wide, static_cast<float*>(nullptr));
  }
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

// Row-major c [m, n] = a [m, k] b [k, n] + beta c, with a transposed as stored
// if asked. cuBLAS sees the transposes: columns are rows there.
absl::Status Multiply(const Stream& stream, bool transpose_a, int64_t m,
                      int64_t n, int64_t k, const float* a, const float* b,
                      float beta, float* c) {
  const float one = 1.0f;
  const cublasComputeType_t compute =
      stream.options.precision == Precision::kTf32
          ? CUBLAS_COMPUTE_32F_FAST_TF32
          : CUBLAS_COMPUTE_32F;
  CONTINUO_RETURN_IF_CUDA_ERROR(cublasGemmEx(
      stream.cuda->cublas(), CUBLAS_OP_N,
      transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, static_cast<int>(n),
      static_cast<int>(m), static_cast<int>(k), &one, b, CUDA_R_32F,
      static_cast<int>(n), a, CUDA_R_32F, static_cast<int>(transpose_a ? m : k),
      &beta, c, CUDA_R_32F, static_cast<int>(n), compute, CUBLAS_GEMM_DEFAULT));
  return absl::OkStatus();
}

template <typename T>
absl::Status ColumnSums(const Stream& stream, const TensorView& x,
                        const TensorView& out, float* partial) {
  const int64_t rows = x.shape[0];
  const int64_t columns = x.shape[1];
  const int64_t rows_each =
      std::max<int64_t>(kSumThreadsY, CeilDiv(rows, kMaxChunks));
  const int64_t chunks = CeilDiv(rows, rows_each);
  const dim3 grid(static_cast<unsigned>(CeilDiv(columns, kTile)),
                  static_cast<unsigned>(chunks));
  ColumnSumsKernel<<<grid, dim3(kTile, kSumThreadsY), 0,
                     stream.cuda->stream()>>>(Data<T>(x), rows, columns,
                                              rows_each, partial);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return ReducePartials(stream, partial, chunks,
                        {.to = out.data<float>(), .size = columns});
}

}  // namespace

absl::Status PackMatrix(const Stream& stream, const PackMatrixArgs& args) {
  CONTINUO_CHECK(args.matrix.shape.rank() == 2);
  const int64_t rows = args.matrix.shape[0];
  const int64_t columns = args.matrix.shape[1];
  const float* matrix = args.matrix.data<float>();
  float* packed = args.packed.data<float>();
  if (rows == 0 || columns == 0) return absl::OkStatus();
  if (!args.transpose) {
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaMemcpyAsync(
        packed, matrix, static_cast<size_t>(rows * columns) * sizeof(float),
        cudaMemcpyDeviceToDevice, stream.cuda->stream()));
    return absl::OkStatus();
  }
  const dim3 grid(static_cast<unsigned>(CeilDiv(columns, kTile)),
                  static_cast<unsigned>(CeilDiv(rows, kTile)));
  TransposeKernel<<<grid, dim3(kTile, 8), 0, stream.cuda->stream()>>>(
      matrix, rows, columns, packed);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

absl::Status Gemm(const Stream& stream, const GemmArgs& args) {
  const int64_t m = args.a.shape[0];
  const int64_t k = args.a.shape[1];
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.c.shape[0] == m && !(args.accumulate && args.bias));
  CONTINUO_CHECK(args.b.num_elements() == k * n);
  if (m == 0) return absl::OkStatus();
  if (stream.options.precision == Precision::kBf16 ||
      args.a.dtype == DType::kBfloat16 || args.c.dtype == DType::kBfloat16) {
    return MixedGemm(stream, args);
  }
  float* c = args.c.data<float>();
  if (args.bias) {
    const float* bias = args.bias.data<float>();
    CONTINUO_RETURN_IF_ERROR(LaunchOnRows(
        m, n, ByFours(bias, n) && ByFours(c, n),
        [&]<typename V>(dim3 grid, dim3 block, int64_t columns, V*) {
          BiasRowsKernel<<<grid, block, 0, stream.cuda->stream()>>>(
              reinterpret_cast<const V*>(bias), m, columns,
              reinterpret_cast<V*>(c));
        }));
  }
  return Multiply(stream, false, m, n, k, args.a.data<float>(),
                  args.b.data<float>(),
                  args.bias || args.accumulate ? 1.0f : 0.0f, c);
}

int64_t WeightGradientScratch(int64_t e, int64_t k, int64_t n) {
  return std::max(e * k + kMaxChunks * n, MixedWeightGradientScratch(e, k, n));
}

absl::Status WeightGradient(const Stream& stream,
                            const WeightGradientArgs& args) {
  const int64_t events = args.dz.shape[0];
  const int64_t n = args.dz.shape[1];
  const bool narrow = args.dz.dtype == DType::kBfloat16;
  float* const scratch = args.scratch.data<float>();
  if (events == 0) return absl::OkStatus();
  if (args.dw && (narrow || stream.options.precision == Precision::kBf16)) {
    return MixedWeightGradient(stream, args);
  }
  if (args.db) {
    CONTINUO_CHECK(args.scratch.num_elements() >= kMaxChunks * n);
    CONTINUO_RETURN_IF_ERROR(
        narrow ? ColumnSums<__nv_bfloat16>(stream, args.dz, args.db, scratch)
               : ColumnSums<float>(stream, args.dz, args.db, scratch));
  }
  if (!args.dw) return absl::OkStatus();
  const int64_t k = args.dw.shape[0];
  CONTINUO_CHECK(args.dw.shape[1] == n && args.x.shape[1] == k);
  const float* x = args.x.data<float>();
  if (args.rows) {
    CONTINUO_CHECK(args.scratch.num_elements() >= events * k);
    const int32_t* rows = args.rows.data<int32_t>();
    CONTINUO_RETURN_IF_ERROR(LaunchOnRows(
        events, k, ByFours(x, k) && ByFours(scratch, k),
        [&]<typename V>(dim3 grid, dim3 block, int64_t columns, V*) {
          TakeRowsKernel<<<grid, block, 0, stream.cuda->stream()>>>(
              reinterpret_cast<const V*>(x), rows, events, columns,
              reinterpret_cast<V*>(scratch));
        }));
    x = scratch;
  }
  return Multiply(stream, true, k, n, events, x, args.dz.data<float>(), 1.0f,
                  args.dw.data<float>());
}

}  // namespace continuo::gpu
