// SPDX-License-Identifier: Apache-2.0

// Bound by the exponentials; half a percent of a training step.

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/common/parallel_for.h"
#include "kernels/gemm/packing.h"
#include "kernels/layers/loss.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layers/loss_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/common/vector_math-inl.h"
#include "runtime/base/ceil_div.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

// One softmax of n classes: returns its cross-entropy, sets `best` to the
// argmax, and writes the gradient to dlogits (may be logits) unless it is null.
double SoftmaxRow(const float* logits, int64_t n, int64_t label, float scale,
                  float* dlogits, int32_t* best) {
  const int64_t top = std::max_element(logits, logits + n) - logits;
  *best = static_cast<int32_t>(top);
  const float highest = logits[top];
  const double target = static_cast<double>(logits[label]) - highest;
  const hn::ScalableTag<float> full;
  auto lanes_sum = hn::Zero(full);
  float rest = 0;
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto y =
        VectorExp(d, hn::Sub(hn::LoadU(d, logits + i), hn::Set(d, highest)));
    if constexpr (std::is_same_v<decltype(d), hn::ScalableTag<float>>) {
      lanes_sum = hn::Add(lanes_sum, y);
    } else {
      rest += hn::GetLane(y);
    }
    if (dlogits != nullptr) hn::StoreU(y, d, dlogits + i);
  });
  const float sum = AddLanes(full, lanes_sum) + rest;
  if (dlogits != nullptr) {
    const float factor = scale / sum;
    for (int64_t i = 0; i < n; ++i) dlogits[i] *= factor;
    dlogits[label] -= scale;
  }
  return std::log(static_cast<double>(sum)) - target;
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {
HWY_EXPORT(SoftmaxRow);
}  // namespace

absl::Status SoftmaxLoss(const Stream& stream, const SoftmaxLossArgs& args) {
  const int64_t events = args.logits.shape[0];
  const int64_t classes = args.logits.shape[1];
  const int64_t heads = args.head_begin.shape[0] - 1;
  const int32_t* head_begin = args.head_begin.data<int32_t>();
  const int64_t chunks = CeilDiv(events, kLossChunk);
  CONTINUO_CHECK(args.labels.num_elements() == events * heads);
  CONTINUO_CHECK(args.predicted.num_elements() == events * heads);
  CONTINUO_CHECK(args.chunk_sums.num_elements() == chunks);
  CONTINUO_CHECK(head_begin[heads] == classes);
  const float* logits = args.logits.data<float>();
  const int64_t* labels = args.labels.data<int64_t>();
  float* dlogits = args.dlogits.data<float>();
  int32_t* predicted = args.predicted.data<int32_t>();
  double* chunk_sums = args.chunk_sums.data<double>();
  const float scale = dlogits != nullptr ? *args.scale.data<float>() : 0.0f;
  ParallelFor(stream, chunks, [&](int64_t chunk, int) {
    const int64_t end = std::min<int64_t>(events, (chunk + 1) * kLossChunk);
    double sum = 0;
    for (int64_t e = chunk * kLossChunk; e < end; ++e) {
      if (labels[e * heads] < 0) {
        std::fill_n(predicted + e * heads, heads, -1);
        if (dlogits != nullptr) std::fill_n(dlogits + e * classes, classes, 0);
        continue;
      }
      for (int64_t head = 0; head < heads; ++head) {
        const int64_t at = e * classes + head_begin[head];
        sum += HWY_DYNAMIC_DISPATCH(SoftmaxRow)(
            logits + at, head_begin[head + 1] - head_begin[head],
            labels[e * heads + head], scale,
            dlogits != nullptr ? dlogits + at : nullptr,
            predicted + e * heads + head);
      }
    }
    chunk_sums[chunk] = sum;
  });
  double* cross_entropy = args.cross_entropy.data<double>();
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    *cross_entropy += chunk_sums[chunk];
  }
  const int64_t* default_label = args.default_label.data<int64_t>();
  int64_t* counts = args.counts.data<int64_t>();
  int64_t* class_labels = args.class_labels.data<int64_t>();
  int64_t* class_correct = args.class_correct.data<int64_t>();
  for (int64_t e = 0; e < events; ++e) {
    for (int64_t head = 0; head < heads; ++head) {
      const int64_t label = labels[e * heads + head];
      if (label < 0) continue;
      const bool correct = predicted[e * heads + head] == label;
      int64_t* kind = counts + (label == default_label[head] ? 2 : 0);
      kind[0] += 1;
      kind[1] += correct;
      class_labels[head_begin[head] + label] += 1;
      class_correct[head_begin[head] + label] += correct;
    }
  }
  return absl::OkStatus();
}

}  // namespace continuo::cpu
#endif  // HWY_ONCE
