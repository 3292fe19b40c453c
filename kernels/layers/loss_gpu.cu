// SPDX-License-Identifier: Apache-2.0

// Bound by memory: one read of the logits and one write of their gradient. A
// warp takes an event of a chunk and passes over each of its heads three times
// (highest, sum, gradient), of which two find the logits in the level-1 cache.
//
// A block sums its chunk in a fixed order and counts with integers; a second
// launch adds the chunks in order.

#include <cmath>

#include "kernels/common/launch.cuh"
#include "kernels/common/warp.cuh"
#include "kernels/layers/loss.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kWarps = 16;
constexpr int kThreads = kWarp * kWarps;
constexpr int kCounts = 4;

struct Arrays {
  const float* logits;
  const int64_t* labels;
  const int32_t* head_begin;
  const int64_t* default_label;
  float* dlogits;  // may be logits, or null
  const float* scale;
  int64_t* counts;
  int64_t* class_labels;
  int64_t* class_correct;
  int32_t* predicted;
  double* chunk_sums;
  int64_t events;
  int64_t classes;
  int heads;
};

// The index of the highest of x[0, n), the lowest of equal ones; its value in
// *highest. Called by a whole warp.
__device__ int Argmax(const float* x, int n, int lane, float* highest) {
  float best = -INFINITY;
  int at = lane < n ? lane : n - 1;
  for (int i = lane; i < n; i += kWarp) {
    const float value = x[i];
    if (value > best) {
      best = value;
      at = i;
    }
  }
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const float other = __shfl_xor_sync(kAllLanes, best, offset);
    const int other_at = __shfl_xor_sync(kAllLanes, at, offset);
    if (other > best || (other == best && other_at < at)) {
      best = other;
      at = other_at;
    }
  }
  *highest = best;
  return at;
}

// One softmax of n classes, as in the CPU form. Called by a whole warp; all of
// its lanes get the result.
__device__ double SoftmaxRow(const float* logits, int n, int64_t label,
                             float scale, float* dlogits, int lane, int* best) {
  float highest;
  *best = Argmax(logits, n, lane, &highest);
  const double target = static_cast<double>(logits[label]) - highest;
  float sum = 0;
  for (int i = lane; i < n; i += kWarp) sum += expf(logits[i] - highest);
  sum = WarpSum(sum);
  if (dlogits != nullptr) {
    // All lanes have read the label's logit: dlogits may be the same array.
    __syncwarp();
    const float factor = scale / sum;
    for (int i = lane; i < n; i += kWarp) {
      const float y = expf(logits[i] - highest) * factor;
      dlogits[i] = i == label ? y - scale : y;
    }
  }
  return log(static_cast<double>(sum)) - target;
}

__device__ void AddTo(int64_t* to, int count) {
  if (count == 0) return;
  atomicAdd(reinterpret_cast<unsigned long long*>(to),
            static_cast<unsigned long long>(count));
}

// Block b: events [b * kLossChunk, ...), and their sum in chunk_sums[b]. The
// counts of a block are kept in shared memory: kCounts, then labels and correct
// ones of each class.
__global__ void __launch_bounds__(kThreads) SoftmaxLossKernel(Arrays a) {
  extern __shared__ int block_counts[];
  __shared__ double losses[kLossChunk];
  int* const labels = block_counts + kCounts;
  int* const correct = labels + a.classes;
  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % kWarp;
  for (int i = thread; i < kCounts + 2 * a.classes; i += kThreads) {
    block_counts[i] = 0;
  }
  __syncthreads();
  const int64_t begin = int64_t{blockIdx.x} * kLossChunk;
  const float scale = a.dlogits != nullptr ? *a.scale : 0.0f;
  for (int i = thread / kWarp; i < kLossChunk; i += kWarps) {
    const int64_t e = begin + i;
    double loss = 0;
    if (e < a.events && a.labels[e * a.heads] >= 0) {
      for (int head = 0; head < a.heads; ++head) {
        const int first = a.head_begin[head];
        const int64_t at = e * a.classes + first;
        const int64_t label = a.labels[e * a.heads + head];
        int best;
        loss += SoftmaxRow(
            a.logits + at, a.head_begin[head + 1] - first, label, scale,
            a.dlogits != nullptr ? a.dlogits + at : nullptr, lane, &best);
        if (lane == 0) {
          a.predicted[e * a.heads + head] = best;
          const int right = best == label ? 1 : 0;
          int* kind = block_counts + (label == a.default_label[head] ? 2 : 0);
          atomicAdd(kind, 1);
          atomicAdd(kind + 1, right);
          atomicAdd(labels + first + label, 1);
          atomicAdd(correct + first + label, right);
        }
      }
    } else if (e < a.events) {
      for (int head = lane; head < a.heads; head += kWarp) {
        a.predicted[e * a.heads + head] = -1;
      }
      if (a.dlogits != nullptr) {
        for (int64_t c = lane; c < a.classes; c += kWarp) {
          a.dlogits[e * a.classes + c] = 0;
        }
      }
    }
    if (lane == 0) losses[i] = loss;
  }
  __syncthreads();
  for (int i = thread; i < kCounts; i += kThreads) {
    AddTo(a.counts + i, block_counts[i]);
  }
  for (int i = thread; i < a.classes; i += kThreads) {
    AddTo(a.class_labels + i, labels[i]);
    AddTo(a.class_correct + i, correct[i]);
  }
  if (thread >= kWarp) return;
  double sum = 0;
  for (int i = 0; i < kLossChunk / kWarp; ++i) {
    sum += losses[kWarp * i + lane];
  }
  sum = WarpSum(sum);
  if (lane == 0) a.chunk_sums[blockIdx.x] = sum;
}

// *total += the chunks, in order: a warp reads them, its first lane adds.
__global__ void __launch_bounds__(kWarp)
    ReducePartialsKernel(const double* chunk_sums, int64_t chunks,
                         double* total) {
  double sum = threadIdx.x == 0 ? *total : 0;
  for (int64_t begin = 0; begin < chunks; begin += kWarp) {
    const int64_t mine = begin + threadIdx.x;
    const double value = mine < chunks ? chunk_sums[mine] : 0;
#pragma unroll
    for (int i = 0; i < kWarp; ++i) {
      sum += __shfl_sync(kAllLanes, value, i);
    }
  }
  if (threadIdx.x == 0) *total = sum;
}

}  // namespace

absl::Status SoftmaxLoss(const Stream& stream, const SoftmaxLossArgs& args) {
  const int64_t events = args.logits.shape[0];
  const int64_t classes = args.logits.shape[1];
  const int64_t heads = args.head_begin.shape[0] - 1;
  const int64_t chunks = CeilDiv(events, kLossChunk);
  CONTINUO_CHECK(args.labels.num_elements() == events * heads);
  CONTINUO_CHECK(args.predicted.num_elements() == events * heads);
  CONTINUO_CHECK(args.chunk_sums.num_elements() == chunks);
  if (events == 0) return absl::OkStatus();
  const Arrays arrays = {
      .logits = args.logits.data<float>(),
      .labels = args.labels.data<int64_t>(),
      .head_begin = args.head_begin.data<int32_t>(),
      .default_label = args.default_label.data<int64_t>(),
      .dlogits = args.dlogits.data<float>(),
      .scale = args.scale.data<float>(),
      .counts = args.counts.data<int64_t>(),
      .class_labels = args.class_labels.data<int64_t>(),
      .class_correct = args.class_correct.data<int64_t>(),
      .predicted = args.predicted.data<int32_t>(),
      .chunk_sums = args.chunk_sums.data<double>(),
      .events = events,
      .classes = classes,
      .heads = static_cast<int>(heads),
  };
  const size_t shared =
      static_cast<size_t>(kCounts + 2 * classes) * sizeof(int);
  CONTINUO_CHECK(shared <= 40 << 10);  // of the 48 KB that every device has
  SoftmaxLossKernel<<<static_cast<unsigned>(chunks), kThreads, shared,
                      stream.cuda->stream()>>>(arrays);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  ReducePartialsKernel<<<1, kWarp, 0, stream.cuda->stream()>>>(
      arrays.chunk_sums, chunks, args.cross_entropy.data<double>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
