// SPDX-License-Identifier: Apache-2.0

// One step of an LSTM's backward pass, for networks that do other work between
// two steps (kernels/lstm/lstm.h goes through all of them).

#ifndef CONTINUO_KERNELS_LSTM_LSTM_STEP_H_
#define CONTINUO_KERNELS_LSTM_LSTM_STEP_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "kernels/lstm/lstm.h"
#include "runtime/device/tensor.h"

namespace continuo {

// From the gradients of a step's h and c to those of z = x K + b + h R and of
// the c before; what the h before receives is dz R^T.
struct LstmStepBackwardArgs {
  TensorView c_prev = {};  // [N, h], or not given: zeros
  TensorView c;            // [N, h]
  TensorView gates;  // [N, 4h] GateType in: activated gates; out: gradient of z
  TensorView dh;     // [N, h]
  TensorView dc;     // [N, h] in: gradient of c; out: of c_prev
};
CONTINUO_OPERATION(LstmStepBackward);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LSTM_LSTM_STEP_H_
