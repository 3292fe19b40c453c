// SPDX-License-Identifier: Apache-2.0

// The attention window of decoding: a block a row, whose window it reads once
// from global memory. Bound by these bytes: 8 A n a row.

#include "kernels/attention/attention_window.h"
#include "kernels/attention/window_attention_block.cuh"
#include "kernels/common/launch.cuh"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

struct AttendParams {
  int n;
  int window;
  int step;
  int groups;
  const float* states;
  const float* projected;
  const int32_t* row;
  const float* score;
  const float* query;
  float* probabilities;
  float* attention;
};

// Shared memory of a block: v, q, the scores, parts of the context.
int64_t SharedFloats(int64_t n, int64_t window, int64_t groups) {
  return (2 + groups) * n + window + 1;
}

template <Precision kPrecision>
__global__ void __launch_bounds__(kThreads)
    AttendWindowKernel(const __grid_constant__ AttendParams p) {
  extern __shared__ __align__(16) char shared[];
  float* const score = reinterpret_cast<float*>(shared);
  float* const query = score + p.n;
  float* const partial = query + p.n;
  float* const weight = partial + p.groups * p.n;
  const int64_t row = blockIdx.x;
  for (int k = threadIdx.x; k < p.n; k += kThreads) {
    score[k] = p.score[k];
    query[k] = p.query[row * p.n + k];
  }
  const int64_t ring = p.row[row] * int64_t{p.window} * p.n;
  const WindowRows rows = {.rows = 1,
                           .n = p.n,
                           .stride = p.n,
                           .window = p.window,
                           .step = p.step,
                           .groups = p.groups,
                           .score = score,
                           .query = query,
                           .weight = weight,
                           .partial = partial};
  __syncthreads();
  Attend<kPrecision, 0, kThreads, true>(
      rows, [&](int) { return p.states + ring; },
      [&](int) { return p.projected + ring; },
      [&](int) { return p.probabilities + row * p.window; },
      [&](int, int k, float a) { p.attention[row * p.n + k] = a; });
}

// The slot of each row; bound by bytes.
__global__ void EnterWindowKernel(const float* out, const float* projected,
                                  const int32_t* row, int64_t rows, int n,
                                  int window, int slot, float* states,
                                  float* projections) {
  const int64_t total = rows * n;
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < total;
       i += stride) {
    const int64_t to = (int64_t{row[i / n]} * window + slot) * n + i % n;
    states[to] = out[i];
    projections[to] = projected[i];
  }
}

template <Precision kPrecision>
absl::Status Launch(const Stream& stream, int64_t rows,
                    const AttendParams& params) {
  const int64_t bytes =
      4 * SharedFloats(params.n, params.window, params.groups);
  if (bytes > stream.cuda->properties().shared_bytes_per_block) {
    return absl::InvalidArgumentError(
        absl::StrCat("attention of ", params.n, " units over ", params.window,
                     " events does not fit shared memory"));
  }
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(
      AttendWindowKernel<kPrecision>,
      cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)));
  AttendWindowKernel<kPrecision>
      <<<static_cast<unsigned>(rows), kThreads, bytes, stream.cuda->stream()>>>(
          params);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace

absl::Status AttendWindow(const Stream& stream, const AttendWindowArgs& args) {
  const WindowArrays& window = args.window;
  const int64_t size = window.states.shape[1];
  const int64_t n = window.states.shape[2];
  const int64_t rows = args.query.shape[0];
  CONTINUO_CHECK(size >= 1);
  if (rows == 0) return absl::OkStatus();
  const AttendParams params = {
      .n = static_cast<int>(n),
      .window = static_cast<int>(size),
      // Its sum with the slots' ages needs no more than 32 bits.
      .step = static_cast<int>(window.step < size ? window.step
                                                  : size + window.step % size),
      .groups = static_cast<int>(n < kThreads ? kThreads / n : 1),
      .states = window.states.data<float>(),
      .projected = window.projected.data<float>(),
      .row = window.row.data<int32_t>(),
      .score = args.score.data<float>(),
      .query = args.query.data<float>(),
      .probabilities = args.probabilities.data<float>(),
      .attention = args.attention.data<float>()};
  if (stream.options.precision == Precision::kBf16) {
    return Launch<Precision::kBf16>(stream, rows, params);
  }
  return Launch<Precision::kFp32>(stream, rows, params);
}

absl::Status EnterWindow(const Stream& stream, const EnterWindowArgs& args) {
  const WindowArrays& window = args.window;
  const int64_t size = window.states.shape[1];
  const int64_t n = window.states.shape[2];
  const int64_t rows = args.out.shape[0];
  if (rows == 0) return absl::OkStatus();
  EnterWindowKernel<<<GridSize(rows * n, kThreads), kThreads, 0,
                      stream.cuda->stream()>>>(
      args.out.data<float>(), args.projected.data<float>(),
      window.row.data<int32_t>(), rows, static_cast<int>(n),
      static_cast<int>(size), static_cast<int>(window.step % size),
      window.states.data<float>(), window.projected.data<float>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
