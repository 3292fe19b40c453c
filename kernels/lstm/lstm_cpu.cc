// SPDX-License-Identifier: Apache-2.0

// Bound by the arithmetic of h R (kernels/README.md: 73 % of the product peak;
// the gates take most of the rest). The packed recurrent weights of a layer of
// 128 units are 256 KB: they stay in the level-2 cache, from which one step of
// a block of 12 rows streams them at 11 bytes a cycle, a third of what it
// gives.

#include <algorithm>

#include "kernels/common/parallel_for.h"
#include "kernels/common/row_blocks.h"
#include "kernels/gemm/packing.h"
#include "kernels/lstm/lstm.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lstm/lstm_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/gemm/matmul-inl.h"
#include "kernels/lstm/gates-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

// All steps of rows [begin, end).
void ForwardRows(const LstmForwardArgs& args, int64_t begin, int64_t end) {
  const int64_t n = args.c.shape[1];
  const int32_t* batch_sizes = args.ragged.batch_sizes.data<int32_t>();
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  const float* recurrent = args.recurrent.data<float>();
  float* gates = args.gates.data<float>();
  float* c = args.c.data<float>();
  float* h = args.h.data<float>();
  for (int64_t t = 0; t < args.ragged.steps() && batch_sizes[t] > begin; ++t) {
    const int64_t rows = std::min<int64_t>(end, batch_sizes[t]) - begin;
    const int64_t event = step_begin[t] + begin;
    const float* c_prev = args.initial_c.data<float>();
    const float* h_prev = args.initial_h.data<float>();
    if (t > 0) {
      c_prev = c + (step_begin[t - 1] + begin) * n;
      h_prev = h + (step_begin[t - 1] + begin) * n;
    } else if (c_prev != nullptr) {
      c_prev += begin * n;
      h_prev += begin * n;
    }
    float* z = gates + event * 4 * n;
    if (h_prev != nullptr) {
      MatmulRows(rows, 4 * n, n, h_prev, n, recurrent, Start::kC, nullptr, z,
                 4 * n);
    }
    for (int64_t r = 0; r < rows; ++r) {
      CellForward(n, z + r * 4 * n,
                  c_prev != nullptr ? c_prev + r * n : nullptr,
                  c + (event + r) * n, h + (event + r) * n);
    }
  }
}

void BackwardRows(const LstmBackwardArgs& args, int64_t begin, int64_t end) {
  const int64_t n = args.c.shape[1];
  const int32_t* batch_sizes = args.ragged.batch_sizes.data<int32_t>();
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  const float* recurrent_t = args.recurrent_t.data<float>();
  const float* c = args.c.data<float>();
  float* gates = args.gates.data<float>();
  float* dh = args.dh.data<float>();
  float* dc = args.dc.data<float>() + begin * n;
  std::fill(dc, dc + (end - begin) * n, 0.0f);
  int64_t t = args.ragged.steps();
  while (t > 0 && batch_sizes[t - 1] <= begin) --t;
  while (t-- > 0) {
    const int64_t rows = std::min<int64_t>(end, batch_sizes[t]) - begin;
    const int64_t event = step_begin[t] + begin;
    const int64_t before = t > 0 ? step_begin[t - 1] + begin : 0;
    for (int64_t r = 0; r < rows; ++r) {
      CellBackward(n, gates + (event + r) * 4 * n,
                   t > 0 ? c + (before + r) * n : nullptr, c + (event + r) * n,
                   dh + (event + r) * n, dc + r * n);
    }
    if (t == 0) break;
    MatmulRows(rows, n, 4 * n, gates + event * 4 * n, 4 * n, recurrent_t,
               Start::kC, nullptr, dh + before * n, n);
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {
HWY_EXPORT(ForwardRows);
HWY_EXPORT(BackwardRows);
}  // namespace

absl::Status LstmForward(const Stream& stream, const LstmForwardArgs& args) {
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 4 * n && args.h.shape == args.c.shape);
  ForEachRowBlock(stream, args.ragged, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(ForwardRows)(args, begin, end);
  });
  return absl::OkStatus();
}

absl::Status LstmBackward(const Stream& stream, const LstmBackwardArgs& args) {
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 4 * n && args.dh.shape == args.c.shape);
  ForEachRowBlock(stream, args.ragged, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(BackwardRows)(args, begin, end);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
#endif  // HWY_ONCE
