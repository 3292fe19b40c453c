// SPDX-License-Identifier: Apache-2.0

// The GRU over a ragged batch, forward and backward through time, as
// TensorFlow's GRUCell computes it.
//
// Gate order: r, u. With zg = x Kg + bg + h Rg and zc = x Kc + bc + (r * h) Rc:
//   r, u = sigmoid(zg);  c = tanh(zc);  h' = u * h + (1 - u) * c
// The reset gate multiplies h before the product (cuDNN's multiplies after it,
// which is another function).

#ifndef CONTINUO_KERNELS_GRU_GRU_H_
#define CONTINUO_KERNELS_GRU_GRU_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/ragged_layout.h"
#include "runtime/device/tensor.h"

namespace continuo {

// A GPU launches two products and two kernels for each step: a batch of
// several steps needs its host arrays, and the work cannot be recorded to run
// with others of the same T. Arrays are float32 at every precision.
struct GruForwardArgs {
  RaggedLayout ragged;
  TensorView recurrent_gates;      // Rg, packed [h, 2h]
  TensorView recurrent_candidate;  // Rc, packed [h, h]
  TensorView initial_h = {};       // [N, h], or not given: zeros
  TensorView gates;                // [E, 2h] in: x Kg + bg; out: r, u
  TensorView candidate;            // [E, h] in: x Kc + bc; out: c
  TensorView reset;                // [E, h] out: r * h of the step before
  TensorView h;                    // [E, h] out
};
CONTINUO_OPERATION(GruForward);

// From the zero state, as in training.
struct GruBackwardArgs {
  RaggedLayout ragged;
  TensorView recurrent_gates_t;      // packed transpose [2h, h]
  TensorView recurrent_candidate_t;  // packed transpose [h, h]
  TensorView h;                      // [E, h]
  TensorView gates;                  // [E, 2h] in: r, u; out: gradient of zg
  TensorView candidate;              // [E, h] in: c; out: gradient of zc
  TensorView dh;      // [E, h] in: gradient from above; out: undefined
  TensorView dreset;  // [N, h] scratch
};
CONTINUO_OPERATION(GruBackward);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_GRU_GRU_H_
