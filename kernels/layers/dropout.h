// SPDX-License-Identifier: Apache-2.0

// Dropout with a recomputed mask.

#ifndef CONTINUO_KERNELS_LAYERS_DROPOUT_H_
#define CONTINUO_KERNELS_LAYERS_DROPOUT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/ragged_layout.h"
#include "runtime/device/tensor.h"

namespace continuo {

// out = x * mask / keep_prob. A mask element is 1 with probability keep_prob
// and a pure function of (seed, step, layer, source row, time step, unit): the
// same operation on a gradient is the backward pass.
struct DropoutArgs {
  RaggedLayout ragged;
  TensorView source;       // [N] int32: the row's position in the drawn order
  TensorView x;            // [E, n]
  TensorView out;          // [E, n] out, may be x
  double keep_prob = 1.0;  // in (0, 1]
  uint64_t seed = 0;
  TensorView step;         // [1] uint64
  int64_t first_step = 0;  // time step of the layout's first
  int layer = 0;
};
CONTINUO_OPERATION(Dropout);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LAYERS_DROPOUT_H_
