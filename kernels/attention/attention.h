// SPDX-License-Identifier: Apache-2.0

// The attention wrapper around an LSTM: window of A past outputs, n units.
//
// One step of one row, with x the input part of x' (already x K1 + b1):
//   x'    = x + a_prev K1a                   a: attention vector
//   h, c  = lstm(x' Kx + b, h_prev, c_prev)
//   q     = c Wc + h Wh + bq                 query from the new state
//   s_j   = sum_k v_k tanh((M_j W)_k + q_k)  for the A slots M_j of the window
//   p     = softmax(s);  a = sum_j p_j M_j
//   out   = h Kh + a Ka + bo;  out enters the window, the oldest slot leaves it
// Slots before the start of the sequence are zero vectors that take part in the
// softmax. A state is projected (M_j W) once, when it enters the window.
//
// On a GPU the operations through time fold K1a Kx, Kh W and Ka W, so that a
// step's products do not depend on the width of x, and round the folded ones;
// they run as one kernel for all steps
// (kernels/attention/attention_forward.cuh). Arrays may have rows after the E
// events, which are read as x but not as events: what is computed for them is
// undefined.

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_H_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/ragged_layout.h"
#include "kernels/lstm/lstm.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Matrices are packed; i is the width of x.
struct AttentionWeights {
  TensorView attention_to_x;    // K1a [n, i]
  TensorView x_to_gates;        // Kx [i, 4n]
  TensorView gates_bias;        // b [4n]
  TensorView recurrent;         // [n, 4n]
  TensorView c_to_query;        // Wc [n, n]
  TensorView h_to_query;        // Wh [n, n]
  TensorView query_bias;        // bq [n]
  TensorView project;           // W [n, n]
  TensorView score;             // v [n]
  TensorView h_to_out;          // Kh [n, n]
  TensorView attention_to_out;  // Ka [n, n]
  TensorView out_bias;          // bo [n]
};

// A whole ragged batch from the zero state.
struct AttentionForwardArgs {
  RaggedLayout ragged;
  AttentionWeights weights;
  int window = 0;               // A
  TensorView x;                 // [E, i] in: x K1 + b1; out: x'
  TensorView gates;             // [E, 4n] GateType out: activated i, j, f, o
  TensorView c;                 // [E, n] out
  TensorView h;                 // [E, n] out
  TensorView query;             // [E, n] out
  TensorView probabilities;     // [E, A] out: p, oldest slot first
  TensorView attention;         // [E, n] out: a
  TensorView out;               // [E, n] out
  TensorView projected;         // [E, n] out: out W
  TensorView window_states;     // [N, A, n] scratch, as in AttentionStepArgs
  TensorView window_projected;  // [N, A, n] scratch
  TensorView scratch = {};      // [AttentionScratch(...)], not on the CPU
};
CONTINUO_OPERATION(AttentionForward);

// Floats of scratch that the attention operations need on the stream's device
// for E events of n units and x of width i; 0 on the CPU.
int64_t AttentionScratch(const Stream& stream, int64_t e, int64_t n, int64_t i);
namespace gpu {
int64_t AttentionScratch(int64_t e, int64_t n, int64_t i);
}  // namespace gpu

// The transposes of AttentionWeights' matrices, packed.
struct AttentionTransposes {
  TensorView attention_to_x;    // [i, n]
  TensorView x_to_gates;        // [4n, i]
  TensorView recurrent;         // [4n, n]
  TensorView c_to_query;        // [n, n]
  TensorView h_to_query;        // [n, n]
  TensorView project;           // [n, n]
  TensorView h_to_out;          // [n, n]
  TensorView attention_to_out;  // [n, n]
};

// Backward through time. Weight gradients, but for v, are left to the caller:
// they are products of the arrays below.
struct AttentionBackwardArgs {
  RaggedLayout ragged;
  AttentionTransposes weights;
  TensorView score;  // v [n]
  int window = 0;    // A
  TensorView gates;  // [E, 4n] GateType in: activated; out: gradient of z
  TensorView c;      // [E, n]
  TensorView query;  // [E, n] in: q; out: gradient of q
  TensorView probabilities;  // [E, A]
  TensorView out;            // [E, n]
  TensorView projected;      // [E, n]
  TensorView dout;        // [E, n] in: gradient from above; out: the total one
  TensorView dprojected;  // [E, n] out: gradient of out W
  TensorView dx;          // [E, i] out: gradient of x'
  TensorView dscore;      // [n] in and out: += gradient of v
  TensorView dh;          // [N, n] scratch
  TensorView dc;          // [N, n] scratch
  TensorView da;          // [N, n] scratch
  TensorView dv;          // [N, n] scratch
  TensorView dp;          // [N, A] scratch
  TensorView window_states;  // [N, A, n] scratch, as the next three
  TensorView window_projected;
  TensorView window_dstates;
  TensorView window_dprojected;
  // The weights of forward, and scratch; not on the CPU.
  AttentionWeights forward = {};
  TensorView scratch = {};  // [AttentionScratch(...)]
};
CONTINUO_OPERATION(AttentionBackward);

// One step of N rows that have all seen `step` events before, for decoding.
struct AttentionStepArgs {
  AttentionWeights weights;
  int window = 0;  // A
  int64_t step = 0;
  TensorView c_prev;          // [N, n]
  TensorView h_prev;          // [N, n]
  TensorView attention_prev;  // [N, n]
  TensorView x;               // [N, i] in: x K1 + b1; out: x'
  TensorView gates;           // [N, 4n] GateType scratch
  TensorView c;               // [N, n] out
  TensorView h;               // [N, n] out
  TensorView query;           // [N, n] scratch
  TensorView probabilities;   // [N, A] scratch
  TensorView attention;       // [N, n] out
  TensorView out;             // [N, n] out
  TensorView projected;       // [N, n] scratch
  // The windows, one place for each: row r has place window_row[r], and the
  // state of event e is in its slot e mod A. The step adds its own.
  TensorView window_states;     // [R, A, n] in and out
  TensorView window_projected;  // [R, A, n] in and out
  TensorView window_row;        // [N] int32, distinct, in [0, R)
  TensorView scratch = {};  // [AttentionScratch(stream, N, n, i)], not on CPU
};
CONTINUO_OPERATION(AttentionStep);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_H_
