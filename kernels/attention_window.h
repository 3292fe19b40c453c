// The attention window alone, for decoding networks whose attention wraps more
// than one LSTM (kernels/attention.h has the wrapped LSTM built in).

#ifndef CONTINUO_KERNELS_ATTENTION_WINDOW_H_
#define CONTINUO_KERNELS_ATTENTION_WINDOW_H_

#include "absl/status/status.h"
#include "kernels/dispatch.h"
#include "runtime/tensor.h"

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

}  // namespace continuo

#endif  // CONTINUO_KERNELS_ATTENTION_WINDOW_H_
