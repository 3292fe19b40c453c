// SPDX-License-Identifier: Apache-2.0

// The gradient of the attention window at one step: a block a row. It reads two
// rows of each slot of the window and adds to two others, once each: bound by
// these 24 A n bytes a row, which all but those of one slot come from the
// level-2 cache, where the step before has left them. A row's slots are written
// by its own block alone, and every sum has one order.

#include "kernels/attention/attention_window.h"
#include "kernels/attention/window_attention_block.cuh"
#include "kernels/common/launch.cuh"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

struct BackwardParams {
  int n;
  int window;                 // A
  int filled;                 // slots in use
  int groups;                 // that slots are dealt to
  const int32_t* slot_begin;  // [filled] the first event of each slot's step
  const float* out;
  const float* projected;
  const float* score;
  const float* probabilities;
  const float* dattention;
  float* query;
  float* dout;
  float* dprojected;
  float* dscore;
};

// Shared memory of a block: da, parts of dq and of dv, ds of each slot and of
// the empty ones, the slots' first events.
int64_t SharedFloats(int64_t n, int64_t window, int64_t groups) {
  return (1 + 2 * groups) * n + 2 * window + 1;
}

template <Precision kPrecision>
__global__ void __launch_bounds__(kThreads)
    AttendWindowBackwardKernel(const __grid_constant__ BackwardParams p) {
  extern __shared__ __align__(16) char shared[];
  float* const da = reinterpret_cast<float*>(shared);
  float* const dquery = da + p.n;
  float* const dscore = dquery + p.groups * p.n;
  float* const ds = dscore + p.groups * p.n;
  int32_t* const slot_begin = reinterpret_cast<int32_t*>(ds + p.window + 1);
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int64_t row = blockIdx.x;
  const int empty = p.window - p.filled;
  const float* const weight = p.probabilities + row * p.window + empty;
  const auto at = [&](int slot) { return (slot_begin[slot] + row) * p.n; };
  for (int k = threadIdx.x; k < p.n; k += kThreads) {
    da[k] = p.dattention[row * p.n + k];
  }
  for (int slot = threadIdx.x; slot < p.filled; slot += kThreads) {
    slot_begin[slot] = p.slot_begin[slot];
  }
  __syncthreads();
  for (int slot = warp; slot < p.filled; slot += kWarps) {
    const float* const from = p.out + at(slot);
    float sum = 0;
    for (int k = lane; k < p.n; k += 32) sum = fmaf(from[k], da[k], sum);
    sum = WarpSum(sum);
    if (lane == 0) ds[slot] = sum;
  }
  __syncthreads();
  if (warp == 0) {
    float mean = 0;
    for (int slot = lane; slot < p.filled; slot += 32) {
      mean = fmaf(weight[slot], ds[slot], mean);
    }
    mean = WarpSum(mean);
    for (int slot = lane; slot < p.filled; slot += 32) {
      ds[slot] = weight[slot] * (ds[slot] - mean);
    }
    // Of all empty slots together: they have one probability, and the context
    // has no part of theirs.
    if (lane == 0) {
      ds[p.window] =
          empty > 0 ? -static_cast<float>(empty) * weight[-1] * mean : 0.0f;
    }
  }
  __syncthreads();
  for (int task = threadIdx.x; task < p.groups * p.n; task += kThreads) {
    const int unit = task % p.n;
    const float query = p.query[row * p.n + unit];
    const float v = p.score[unit];
    float dv = 0;
    float dq = 0;
    const auto add = [&](float gradient_of_score, float x) {
      const float y = ScoreTanh<kPrecision>(x);
      const float gradient = gradient_of_score * v * fmaf(-y, y, 1.0f);
      dv = fmaf(gradient_of_score, y, dv);
      dq += gradient;
      return gradient;
    };
    if (task < p.n) add(ds[p.window], query);
    for (int slot = task / p.n; slot < p.filled; slot += p.groups) {
      const int64_t i = at(slot) + unit;
      p.dprojected[i] += add(ds[slot], p.projected[i] + query);
      p.dout[i] = fmaf(weight[slot], da[unit], p.dout[i]);
    }
    dscore[task] = dv;
    dquery[task] = dq;
  }
  __syncthreads();
  for (int k = threadIdx.x; k < p.n; k += kThreads) {
    float dq = dquery[k];
    float dv = dscore[k];
    for (int group = 1; group < p.groups; ++group) {
      dq += dquery[group * p.n + k];
      dv += dscore[group * p.n + k];
    }
    p.query[row * p.n + k] = dq;
    p.dscore[row * p.n + k] += dv;
  }
}

}  // namespace

absl::Status AttendWindowBackward(const Stream& stream,
                                  const AttendWindowBackwardArgs& args) {
  const int64_t rows = args.query.shape[0];
  const int64_t n = args.query.shape[1];
  const int64_t window = args.probabilities.shape[1];
  const int64_t filled = args.step < window ? args.step : window;
  const int64_t groups = n < kThreads ? kThreads / n : 1;
  CONTINUO_CHECK(window >= 1 && args.dattention.shape == args.query.shape);
  if (rows == 0) return absl::OkStatus();
  const BackwardParams params = {
      .n = static_cast<int>(n),
      .window = static_cast<int>(window),
      .filled = static_cast<int>(filled),
      .groups = static_cast<int>(groups),
      .slot_begin = args.step_begin.data<int32_t>() + args.step - filled,
      .out = args.out.data<float>(),
      .projected = args.projected.data<float>(),
      .score = args.score.data<float>(),
      .probabilities = args.probabilities.data<float>(),
      .dattention = args.dattention.data<float>(),
      .query = args.query.data<float>(),
      .dout = args.dout.data<float>(),
      .dprojected = args.dprojected.data<float>(),
      .dscore = args.dscore.data<float>()};
  const int64_t bytes = 4 * SharedFloats(n, window, groups);
  if (bytes > stream.cuda->properties().shared_bytes_per_block) {
    return absl::InvalidArgumentError(
        absl::StrCat("attention of ", n, " units over ", window,
                     " events does not fit shared memory"));
  }
  const auto kernel = stream.options.precision == Precision::kBf16
                          ? AttendWindowBackwardKernel<Precision::kBf16>
                          : AttendWindowBackwardKernel<Precision::kFp32>;
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           static_cast<int>(bytes)));
  kernel<<<static_cast<unsigned>(rows), kThreads, bytes,
           stream.cuda->stream()>>>(params);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
