// SPDX-License-Identifier: Apache-2.0

// The attention window alone, a step at a time, for networks whose attention
// wraps more than one LSTM (kernels/attention/attention.h has the wrapped LSTM
// built in).

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_WINDOW_H_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_WINDOW_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/tensor.h"

namespace continuo {

// The windows of N rows that have all seen `step` events before: A slots of n
// units, laid out as in AttentionStepArgs.
struct WindowArrays {
  int64_t step = 0;
  TensorView states;     // [R, A, n]
  TensorView projected;  // [R, A, n]
  TensorView row;        // [N] int32, distinct, in [0, R)
};

// The attention vector over the window before this step:
//   s_j = sum_k v_k tanh((M_j W)_k + q_k), p = softmax(s), a = sum_j p_j M_j.
struct AttendWindowArgs {
  WindowArrays window;
  TensorView score;          // v [n]
  TensorView query;          // q [N, n]
  TensorView probabilities;  // [N, A] out
  TensorView attention;      // [N, n] out
};
CONTINUO_OPERATION(AttendWindow);

// Puts the step's own state into its slot.
struct EnterWindowArgs {
  WindowArrays window;   // in and out
  TensorView out;        // [N, n]
  TensorView projected;  // [N, n] out W
};
CONTINUO_OPERATION(EnterWindow);

// The gradient of AttendWindow in a batch (kernels/common/ragged_layout.h),
// where what entered the windows is kept for all events: the slots of row r at
// `step` are rows step_begin[s] + r of `out` and `projected`, for the A steps s
// before it or as many as there are.
struct AttendWindowBackwardArgs {
  int64_t step = 0;
  TensorView step_begin;     // [T + 1] int32
  TensorView out;            // [E, n]
  TensorView projected;      // [E, n]
  TensorView score;          // v [n]
  TensorView probabilities;  // [N, A] of the step, as the next two
  TensorView dattention;     // [N, n]
  TensorView query;          // [N, n] in: q; out: its gradient
  TensorView dout;           // [E, n] in and out: added to
  TensorView dprojected;     // [E, n] in and out: added to
  TensorView dscore;         // [*, n] in and out: to row r is added what row r
                             // contributes to the gradient of v
  TensorView dp;             // [*, A] scratch, at least N rows
};
CONTINUO_OPERATION(AttendWindowBackward);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_WINDOW_H_
