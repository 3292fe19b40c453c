// SPDX-License-Identifier: Apache-2.0

// Bound by memory: 28 bytes move per weight, once a training step. For the
// published melody networks (under half a million weights, all in cache) the
// step is below a thousandth of the training time, so plain loops suffice.

#include <algorithm>
#include <cmath>

#include "kernels/common/parallel_for.h"
#include "kernels/layers/optimizer.h"
#include "runtime/base/log.h"

namespace continuo::cpu {
namespace {

// Sum of squares: eight chains, so that it is not bound by the latency of one.
double SquaredNorm(const float* x, int64_t count) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int j = 0; j < 8; ++j) {
      const double value = x[i + j];
      sums[j] += value * value;
    }
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(x[i]) * x[i];
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace

absl::Status ClipAdam(const Stream& stream, const ClipAdamArgs& args) {
  const int64_t tensors = args.tensor_begin.shape[0] - 1;
  const int64_t* begin = args.tensor_begin.data<int64_t>();
  CONTINUO_CHECK(begin[tensors] <= args.weights.num_elements());
  CONTINUO_CHECK(args.squared_norms.num_elements() == tensors);
  const float* gradient = args.gradient.data<float>();
  float* weights = args.weights.data<float>();
  float* m = args.m.data<float>();
  float* v = args.v.data<float>();
  double* squared_norms = args.squared_norms.data<double>();
  const float beta1 = static_cast<float>(args.adam.beta1);
  const float beta2 = static_cast<float>(args.adam.beta2);
  const float rest1 = static_cast<float>(1.0 - args.adam.beta1);
  const float rest2 = static_cast<float>(1.0 - args.adam.beta2);
  const float rate = *args.rate.data<float>();
  const float epsilon = static_cast<float>(args.adam.epsilon);
  ParallelFor(stream, tensors, [&](int64_t tensor, int) {
    const int64_t from = begin[tensor];
    const int64_t count = begin[tensor + 1] - from;
    squared_norms[tensor] = SquaredNorm(gradient + from, count);
    const double norm = std::sqrt(squared_norms[tensor]);
    float scale = 1.0f;
    if (args.adam.clip_norm > 0 && norm > args.adam.clip_norm) {
      scale = static_cast<float>(args.adam.clip_norm / norm);
    }
    for (int64_t i = from; i < from + count; ++i) {
      const float g = gradient[i] * scale;
      m[i] = beta1 * m[i] + rest1 * g;
      v[i] = beta2 * v[i] + rest2 * g * g;
      weights[i] -= rate * m[i] / (std::sqrt(v[i]) + epsilon);
    }
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu

namespace continuo {

int64_t ClipAdamScratch(const Stream& stream, int64_t tensors) {
  if constexpr (kHasCuda) {
    if (stream.device.type == DeviceType::kCuda) {
      return gpu::ClipAdamScratch(tensors);
    }
  }
  return 0;
}

}  // namespace continuo
