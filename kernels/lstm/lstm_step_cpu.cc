// SPDX-License-Identifier: Apache-2.0

// Bound by memory: nine arrays of N h floats are read and five written.

#include "kernels/common/row_blocks.h"
#include "kernels/gemm/packing.h"
#include "kernels/lstm/lstm_step.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lstm/lstm_step_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/lstm/gates-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

void BackwardRows(const LstmStepBackwardArgs& args, int64_t begin,
                  int64_t end) {
  const int64_t n = args.c.shape[1];
  const float* c_prev = args.c_prev.data<float>();
  for (int64_t r = begin; r < end; ++r) {
    CellBackward(n, args.gates.data<float>() + r * 4 * n,
                 c_prev != nullptr ? c_prev + r * n : nullptr,
                 args.c.data<float>() + r * n, args.dh.data<float>() + r * n,
                 args.dc.data<float>() + r * n);
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {
HWY_EXPORT(BackwardRows);
}  // namespace

absl::Status LstmStepBackward(const Stream& stream,
                              const LstmStepBackwardArgs& args) {
  CONTINUO_CHECK(args.gates.shape[1] == 4 * args.c.shape[1]);
  CONTINUO_CHECK(args.dh.shape == args.c.shape &&
                 args.dc.shape == args.c.shape);
  ForEachRowBlock(stream, args.c.shape[0], [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(BackwardRows)(args, begin, end);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
#endif  // HWY_ONCE
