// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "kernels/attention/attention_window.h"
#include "kernels/common/row_blocks.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention/attention_window_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/attention/window_attention-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

void AttendRows(const AttendWindowArgs& args, int64_t begin, int64_t end) {
  const int64_t size = args.window.states.shape[1];
  const int64_t n = args.window.states.shape[2];
  const int32_t* row = args.window.row.data<int32_t>();
  const Window window = Window::Before(args.window.step, size);
  for (int64_t r = begin; r < end; ++r) {
    const int64_t ring = row[r] * size * n;
    AttendRow(n, window, args.score.data<float>(),
              args.query.data<float>() + r * n,
              args.window.states.data<float>() + ring,
              args.window.projected.data<float>() + ring,
              args.probabilities.data<float>() + r * size,
              args.attention.data<float>() + r * n);
  }
}

void AttendRowsBackward(const AttendWindowBackwardArgs& args, int64_t begin,
                        int64_t end) {
  const int64_t size = args.probabilities.shape[1];
  const int64_t n = args.query.shape[1];
  const int32_t* step_begin = args.step_begin.data<int32_t>();
  for (int64_t r = begin; r < end; ++r) {
    AttendRowBackward(
        n, EventWindow::Before(args.step, size, step_begin, r),
        args.score.data<float>(), args.query.data<float>() + r * n,
        args.out.data<float>(), args.projected.data<float>(),
        args.probabilities.data<float>() + r * size,
        args.dattention.data<float>() + r * n,
        args.dscore.data<float>() + r * n, args.dout.data<float>(),
        args.dprojected.data<float>(), args.dp.data<float>() + r * size);
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {
HWY_EXPORT(AttendRows);
HWY_EXPORT(AttendRowsBackward);
}  // namespace

absl::Status AttendWindow(const Stream& stream, const AttendWindowArgs& args) {
  CONTINUO_CHECK(args.window.states.shape[1] >= 1);
  ForEachRowBlock(stream, args.query.shape[0], [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(AttendRows)(args, begin, end);
  });
  return absl::OkStatus();
}

absl::Status EnterWindow(const Stream& stream, const EnterWindowArgs& args) {
  const int64_t size = args.window.states.shape[1];
  const int64_t n = args.window.states.shape[2];
  const int32_t* row = args.window.row.data<int32_t>();
  ForEachRowBlock(stream, args.out.shape[0], [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t slot = (row[r] * size + args.window.step % size) * n;
      std::copy_n(args.out.data<float>() + r * n, n,
                  args.window.states.data<float>() + slot);
      std::copy_n(args.projected.data<float>() + r * n, n,
                  args.window.projected.data<float>() + slot);
    }
  });
  return absl::OkStatus();
}

absl::Status AttendWindowBackward(const Stream& stream,
                                  const AttendWindowBackwardArgs& args) {
  CONTINUO_CHECK(args.probabilities.shape[1] >= 1);
  ForEachRowBlock(stream, args.query.shape[0], [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(AttendRowsBackward)(args, begin, end);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
#endif  // HWY_ONCE
