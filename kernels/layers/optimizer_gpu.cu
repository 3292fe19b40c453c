// SPDX-License-Identifier: Apache-2.0

// Bound by memory: the gradient is read twice, weights and slots are read and
// written once, 32 bytes a weight.
//
// The blocks are a grid [tensors, kParts]; part p of a tensor is every
// kParts-th run of 4 * kThreads elements. The first launch sums squares by
// part, the second adds a tensor's parts (in each of its blocks, in one order)
// and updates.

#include <cmath>

#include "kernels/common/vector_io.cuh"
#include "kernels/common/warp.cuh"
#include "kernels/layers/optimizer.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kParts = 2 * kWarp;

// Calls fn(first, count) for the elements of the tensor of this block that the
// thread works on, four or (at the end of a tensor) fewer at a time.
template <typename Fn>
__device__ void ForEachFour(const int64_t* tensor_begin, Fn fn) {
  const int64_t begin = tensor_begin[blockIdx.x];
  const int64_t end = tensor_begin[blockIdx.x + 1];
  const int64_t mine = int64_t{blockIdx.y} * kThreads + threadIdx.x;
  for (int64_t i = begin + 4 * mine; i < end; i += 4 * kThreads * kParts) {
    fn(i, end - i < 4 ? static_cast<int>(end - i) : 4);
  }
}

// partial[tensor, part] = sum of squares. `aligned`: the gradient can be read
// by fours wherever an offset is a multiple of four.
__global__ void __launch_bounds__(kThreads)
    SquaresKernel(const int64_t* tensor_begin, bool aligned,
                  const float* gradient, double* partial) {
  __shared__ double warps[kThreads / kWarp];
  double sum = 0;
  ForEachFour(tensor_begin, [&](int64_t i, int count) {
    float4 g = {};
    if (aligned && i % 4 == 0 && count == 4) {
      g = Load4(gradient + i);
    } else {
      g.x = gradient[i];
      if (count > 1) g.y = gradient[i + 1];
      if (count > 2) g.z = gradient[i + 2];
      if (count > 3) g.w = gradient[i + 3];
    }
    const double x = g.x, y = g.y, z = g.z, w = g.w;
    sum += (x * x + y * y) + (z * z + w * w);
  });
  sum = WarpSum(sum);
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < kThreads / kWarp; ++i) sum += warps[i];
  partial[blockIdx.x * kParts + blockIdx.y] = sum;
}

// AdamParams as the kernel computes with them.
struct RoundedAdam {
  double clip_norm;
  float beta1, beta2, rest1, rest2, epsilon;
};

struct Weight {
  float m, v, weight;
};

__device__ Weight Update(const RoundedAdam& adam, float scale, float rate,
                         float gradient, Weight old) {
  const float g = gradient * scale;
  const float m = adam.beta1 * old.m + adam.rest1 * g;
  const float v = adam.beta2 * old.v + adam.rest2 * g * g;
  return {m, v, old.weight - rate * m / (sqrtf(v) + adam.epsilon)};
}

__global__ void __launch_bounds__(kThreads)
    UpdateKernel(const int64_t* tensor_begin, bool aligned, RoundedAdam adam,
                 const float* rate_array, const double* partial,
                 const float* gradient, float* m, float* v, float* weights,
                 double* squared_norms) {
  // Every warp adds the parts, in one order.
  const double* parts = partial + blockIdx.x * kParts + threadIdx.x % kWarp;
  const double squared_norm = WarpSum(parts[0] + parts[kWarp]);
  if (blockIdx.y == 0 && threadIdx.x == 0) {
    squared_norms[blockIdx.x] = squared_norm;
  }
  const double norm = sqrt(squared_norm);
  float scale = 1.0f;
  if (adam.clip_norm > 0 && norm > adam.clip_norm) {
    scale = static_cast<float>(adam.clip_norm / norm);
  }
  const float rate = *rate_array;
  const auto update = [&](float g, const Weight& old) {
    return Update(adam, scale, rate, g, old);
  };
  ForEachFour(tensor_begin, [&](int64_t i, int count) {
    if (aligned && i % 4 == 0 && count == 4) {
      const float4 g = Load4(gradient + i);
      const float4 m4 = Load4(m + i), v4 = Load4(v + i),
                   w4 = Load4(weights + i);
      const Weight a = update(g.x, {m4.x, v4.x, w4.x});
      const Weight b = update(g.y, {m4.y, v4.y, w4.y});
      const Weight c = update(g.z, {m4.z, v4.z, w4.z});
      const Weight d = update(g.w, {m4.w, v4.w, w4.w});
      Store4(m + i, {a.m, b.m, c.m, d.m});
      Store4(v + i, {a.v, b.v, c.v, d.v});
      Store4(weights + i, {a.weight, b.weight, c.weight, d.weight});
      return;
    }
    for (int64_t j = i; j < i + count; ++j) {
      const Weight a = update(gradient[j], {m[j], v[j], weights[j]});
      m[j] = a.m;
      v[j] = a.v;
      weights[j] = a.weight;
    }
  });
}

}  // namespace

int64_t ClipAdamScratch(int64_t tensors) { return tensors * kParts; }

absl::Status ClipAdam(const Stream& stream, const ClipAdamArgs& args) {
  const int64_t tensors = args.tensor_begin.shape[0] - 1;
  CONTINUO_CHECK(args.squared_norms.num_elements() == tensors);
  CONTINUO_CHECK(args.scratch.num_elements() >= ClipAdamScratch(tensors));
  if (tensors == 0) return absl::OkStatus();
  const int64_t* tensor_begin = args.tensor_begin.data<int64_t>();
  const float* gradient = args.gradient.data<float>();
  float* m = args.m.data<float>();
  float* v = args.v.data<float>();
  float* weights = args.weights.data<float>();
  double* partial = args.scratch.data<double>();
  const bool aligned = ByFours(gradient, 0) && ByFours(m, 0) && ByFours(v, 0) &&
                       ByFours(weights, 0);
  const dim3 grid(static_cast<unsigned>(tensors), kParts);
  SquaresKernel<<<grid, kThreads, 0, stream.cuda->stream()>>>(
      tensor_begin, aligned, gradient, partial);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  const RoundedAdam adam = {.clip_norm = args.adam.clip_norm,
                            .beta1 = static_cast<float>(args.adam.beta1),
                            .beta2 = static_cast<float>(args.adam.beta2),
                            .rest1 = static_cast<float>(1.0 - args.adam.beta1),
                            .rest2 = static_cast<float>(1.0 - args.adam.beta2),
                            .epsilon = static_cast<float>(args.adam.epsilon)};
  UpdateKernel<<<grid, kThreads, 0, stream.cuda->stream()>>>(
      tensor_begin, aligned, adam, args.rate.data<float>(), partial, gradient,
      m, v, weights, args.squared_norms.data<double>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
