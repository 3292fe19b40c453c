// SPDX-License-Identifier: Apache-2.0

// CPU form of kernels/decoding/input_feedback.h: rows in parallel.

#include <algorithm>

#include "kernels/common/parallel_for.h"
#include "kernels/decoding/input_feedback-inl.h"
#include "kernels/decoding/input_feedback.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/log.h"

namespace continuo {

int64_t InputFeedbackEntries(const InputFeedbackEncoding& encoding) {
  return feedback::NumEntries(encoding);
}

int64_t InputFeedbackStateSize(const InputFeedbackEncoding& encoding) {
  return feedback::StateSize(encoding);
}

namespace cpu {
namespace {

constexpr int64_t kRowsPerTask = 256;  // some 50 us

}  // namespace

absl::Status InputFeedback(const Stream& stream,
                           const InputFeedbackArgs& args) {
  const InputFeedbackEncoding& encoding = args.encoding;
  const int64_t rows = args.next_state.shape[0];
  const int64_t size = InputFeedbackStateSize(encoding);
  const int64_t entries = InputFeedbackEntries(encoding);
  CONTINUO_CHECK(args.source ? args.source.shape[0] == rows
                             : args.state.shape[0] == rows);
  CONTINUO_CHECK(args.index.num_elements() == rows * entries &&
                 args.value.num_elements() == rows * entries);
  const int32_t* source = args.source.data<int32_t>();
  ParallelFor(stream, CeilDiv(rows, kRowsPerTask), [&](int64_t task, int) {
    const int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
    for (int64_t r = task * kRowsPerTask; r < end; ++r) {
      const int64_t from = source != nullptr ? source[r] : r;
      int32_t* const state = args.next_state.data<int32_t>() + r * size;
      std::copy_n(args.state.data<int32_t>() + from * size, size, state);
      feedback::EnterLabel(
          encoding, args.choice.data<int64_t>() + from * encoding.heads, state);
      for (int64_t slot = 0; slot < entries; ++slot) {
        const feedback::Entry entry =
            feedback::InputEntry(encoding, state, static_cast<int>(slot));
        args.index.data<int32_t>()[r * entries + slot] = entry.index;
        args.value.data<float>()[r * entries + slot] = entry.value;
      }
    }
  });
  return absl::OkStatus();
}

}  // namespace cpu
}  // namespace continuo
