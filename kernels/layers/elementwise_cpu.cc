// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "kernels/common/parallel_for.h"
#include "kernels/layers/elementwise.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/log.h"

namespace continuo::cpu {
namespace {

// Elements of a task: long enough to repay its hand-over.
constexpr int64_t kChunk = 1 << 15;

}  // namespace

absl::Status Copy(const Stream& stream, const CopyArgs& args) {
  const int64_t count = args.to.num_elements();
  CONTINUO_CHECK(args.from.shape == args.to.shape);
  const float* from = args.from.data<float>();
  float* to = args.to.data<float>();
  ParallelFor(stream, CeilDiv(count, kChunk), [&](int64_t task, int) {
    const int64_t end = std::min(count, (task + 1) * kChunk);
    std::copy(from + task * kChunk, from + end, to + task * kChunk);
  });
  return absl::OkStatus();
}

absl::Status Zero(const Stream& stream, const ZeroArgs& args) {
  const int64_t count = args.x.num_elements();
  float* x = args.x.data<float>();
  ParallelFor(stream, CeilDiv(count, kChunk), [&](int64_t task, int) {
    std::fill(x + task * kChunk, x + std::min(count, (task + 1) * kChunk),
              0.0f);
  });
  return absl::OkStatus();
}

absl::Status ZeroTail(const Stream& stream, const ZeroTailArgs& args) {
  const int64_t rows = args.x.shape[0];
  const int64_t n = args.x.shape[1];
  const int64_t events =
      args.ragged.step_begin.data<int32_t>()[args.ragged.steps()];
  CONTINUO_CHECK(events <= rows);
  return cpu::Zero(stream, {.x = TensorView(args.x.data<float>() + events * n,
                                            {rows - events, n})});
}

absl::Status Sum(const Stream& stream, const SumArgs& args) {
  const int64_t count = args.c.num_elements();
  CONTINUO_CHECK(args.a.shape == args.c.shape && args.b.shape == args.c.shape);
  const float* a = args.a.data<float>();
  const float* b = args.b.data<float>();
  float* c = args.c.data<float>();
  ParallelFor(stream, CeilDiv(count, kChunk), [&](int64_t task, int) {
    const int64_t end = std::min(count, (task + 1) * kChunk);
    for (int64_t i = task * kChunk; i < end; ++i) c[i] = a[i] + b[i];
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
