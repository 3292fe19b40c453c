// SPDX-License-Identifier: Apache-2.0

// The LSTM over a ragged batch, forward and backward through time.
//
// Gate order (everywhere in the project): i, j, f, o. With z = x K + b + h R:
//   c' = c * sigmoid(z_f + 1) + sigmoid(z_i) * tanh(z_j)
//   h' = tanh(c') * sigmoid(z_o)
// The 1 is the forget bias; it is not part of the stored bias.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_H_
#define CONTINUO_KERNELS_LSTM_LSTM_H_

#include <algorithm>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/ragged_layout.h"
#include "runtime/device/tensor.h"

namespace continuo {

inline constexpr float kForgetBias = 1.0f;

// Type of the [E, 4h] arrays of gates: bfloat16 on a GPU in bf16, else float.
inline DType GateType(const Stream& stream) {
  return stream.options.precision == Precision::kBf16 ? DType::kBfloat16
                                                      : DType::kFloat32;
}

// Floats of scratch for n rows of h units on a GPU: in bf16 the recurrent
// products of the step-wise form, which narrower gates cannot hold; a counter
// for each block of the form that synchronizes through memory.
inline constexpr int64_t kLstmMaxBlocks = 256;
inline int64_t LstmScratch(const Stream& stream, int64_t n, int64_t h) {
  if (stream.device.type == DeviceType::kCpu) return 0;
  return std::max(kLstmMaxBlocks,
                  GateType(stream) == DType::kBfloat16 ? 4 * n * h : 0);
}

// On a GPU the form is chosen by size (kernels/lstm/lstm_form.h). One that
// launches work for each step needs the host arrays of a layout of several
// steps (LstmLaunchesPerStep); without them and with one step, `rows` rows of
// every array are there, those from batch_sizes[0] on with any finite contents.
struct LstmForwardArgs {
  RaggedLayout ragged;
  TensorView recurrent;       // packed [h, 4h]
  TensorView initial_c = {};  // [N, h], or not given: zeros
  TensorView initial_h = {};  // [N, h], or not given: zeros
  TensorView gates;           // [E, 4h] GateType in: x K + b; out: activated
                              // i, j, f, o
  TensorView c;               // [E, h] out
  TensorView h;               // [E, h] out
  TensorView scratch = {};    // [LstmScratch(...)]
};
CONTINUO_OPERATION(LstmForward);

struct LstmBackwardArgs {
  RaggedLayout ragged;
  TensorView recurrent_t;  // packed transpose [4h, h]
  TensorView c;            // [E, h]
  TensorView gates;  // [E, 4h] GateType in: activated gates; out: gradient of z
  TensorView dh;     // [E, h] in: gradient from above; out: undefined
  TensorView dc;     // [N, h] scratch
  TensorView scratch = {};  // [LstmScratch(...)]
};
CONTINUO_OPERATION(LstmBackward);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LSTM_LSTM_H_
