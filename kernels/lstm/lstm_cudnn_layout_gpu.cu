// SPDX-License-Identifier: Apache-2.0

// What has to be repacked for cuDNN: weights, their gradients, and sparse
// inputs. All bound by bytes, of which the weights have few: 8 bytes a weight,
// once a call, where a call reads them once a step.

#include "kernels/common/launch.cuh"
#include "kernels/lstm/lstm.h"
#include "kernels/lstm/lstm_cudnn.h"

namespace continuo::gpu {
namespace {

constexpr int kTile = 32;
constexpr int kTileRows = 8;
constexpr int kThreads = 256;
constexpr int kForgetGate = 1;  // of cuDNN's

// Our number of cuDNN's gate.
__device__ int OurGate(int gate) {
  return gate == 1 ? 2 : gate == 2 ? 1 : gate;
}

// One tile of matrix blockIdx.z of cuDNN, which is the transpose of a block of
// `kernel`: rows from 0 or, of the last four, from k.
template <bool kGradients>
__global__ void WeightsKernel(const __grid_constant__ CudnnWeights cudnn,
                              int64_t k, int64_t n, float* kernel,
                              float* bias) {
  __shared__ float tile[kTile][kTile + 1];
  const int id = blockIdx.z;
  const int gate = OurGate(id % 4);
  const int64_t height = id < 4 ? k : n;  // rows of ours
  const int64_t row_begin = id < 4 ? 0 : k;
  const int64_t first_unit = int64_t{blockIdx.x} * kTile;
  const int64_t first_row = int64_t{blockIdx.y} * kTile;
  const auto ours = [&](int64_t row, int64_t unit) {
    return kernel + (row_begin + row) * 4 * n + gate * n + unit;
  };
  float* const matrix = cudnn.matrix[id];
  const auto theirs = [&](int64_t row, int64_t unit) {
    return matrix + unit * height + row;
  };
  // Each side is read and written along its rows.
  for (int i = threadIdx.y; i < kTile; i += kTileRows) {
    const int64_t row = first_row + (kGradients ? threadIdx.x : i);
    const int64_t unit = first_unit + (kGradients ? i : threadIdx.x);
    if (row < height && unit < n) {
      tile[i][threadIdx.x] = kGradients ? *theirs(row, unit) : *ours(row, unit);
    }
  }
  __syncthreads();
  for (int i = threadIdx.y; i < kTile; i += kTileRows) {
    const int64_t row = first_row + (kGradients ? i : threadIdx.x);
    const int64_t unit = first_unit + (kGradients ? threadIdx.x : i);
    if (row < height && unit < n) {
      if constexpr (kGradients) {
        *ours(row, unit) += tile[threadIdx.x][i];
      } else {
        *theirs(row, unit) = tile[threadIdx.x][i];
      }
    }
  }
  const int64_t unit = first_unit + threadIdx.x;
  if (id >= 4 || blockIdx.y != 0 || threadIdx.y != 0 || unit >= n) return;
  if constexpr (kGradients) {
    bias[gate * n + unit] += cudnn.bias[id][unit];
  } else {
    cudnn.bias[id][unit] =
        bias[gate * n + unit] + (id == kForgetGate ? kForgetBias : 0.0f);
  }
}

template <bool kGradients>
absl::Status Weights(const Stream& stream, const CudnnWeights& cudnn,
                     const TensorView& kernel, const TensorView& bias) {
  const int64_t n = bias.shape[0] / 4;
  const int64_t k = kernel.shape[0] - n;
  const dim3 grid(static_cast<unsigned>(CeilDiv(n, kTile)),
                  static_cast<unsigned>(CeilDiv(k > n ? k : n, kTile)), 8);
  WeightsKernel<kGradients>
      <<<grid, dim3(kTile, kTileRows), 0, stream.cuda->stream()>>>(
          cudnn, k, n, kernel.data<float>(), bias.data<float>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

// A warp writes a row: zeros, then its entries in order.
__global__ void DenseRowsKernel(const int32_t* row_begin, const int32_t* index,
                                const float* value, int64_t rows, int64_t width,
                                float* out) {
  const int lane = threadIdx.x % 32;
  const int64_t warps = int64_t{gridDim.x} * (blockDim.x / 32);
  int64_t row = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32;
  for (; row < rows; row += warps) {
    for (int64_t i = lane; i < width; i += 32) out[row * width + i] = 0.0f;
    __syncwarp();
    if (lane != 0) continue;
    for (int32_t i = row_begin[row]; i < row_begin[row + 1]; ++i) {
      out[row * width + index[i]] += value[i];
    }
  }
}

}  // namespace

absl::Status ToCudnnWeights(const Stream& stream, const TensorView& kernel,
                            const TensorView& bias, const CudnnWeights& to) {
  return Weights<false>(stream, to, kernel, bias);
}

absl::Status AddCudnnGradients(const Stream& stream, const CudnnWeights& from,
                               const TensorView& kernel,
                               const TensorView& bias) {
  return Weights<true>(stream, from, kernel, bias);
}

absl::Status DenseRows(const Stream& stream, const DenseRowsArgs& args) {
  const int64_t rows = args.inputs.rows();
  const int64_t width = args.out.shape[1];
  CONTINUO_CHECK(args.out.shape[0] == rows);
  if (rows == 0) return absl::OkStatus();
  DenseRowsKernel<<<GridSize(rows * 32, kThreads), kThreads, 0,
                    stream.cuda->stream()>>>(
      args.inputs.row_begin.data<int32_t>(), args.inputs.index.data<int32_t>(),
      args.inputs.value.data<float>(), rows, width, args.out.data<float>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
