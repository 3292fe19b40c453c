// SPDX-License-Identifier: Apache-2.0

// Operations an element: copying, clearing and adding arrays.

#ifndef CONTINUO_KERNELS_LAYERS_ELEMENTWISE_H_
#define CONTINUO_KERNELS_LAYERS_ELEMENTWISE_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/ragged_layout.h"
#include "runtime/device/tensor.h"

namespace continuo {

// to = from.
struct CopyArgs {
  TensorView from;
  TensorView to;  // out, same shape
};
CONTINUO_OPERATION(Copy);

// Sets every element of x to zero.
struct ZeroArgs {
  TensorView x;  // out
};
CONTINUO_OPERATION(Zero);

// Zeroes the rows of x that come after the layout's events: arrays recorded
// in a graph are as long as the longest batch that it is run with.
struct ZeroTailArgs {
  RaggedLayout ragged;
  TensorView x;  // [>= E, n] in and out; on a GPU it may be bfloat16
};
CONTINUO_OPERATION(ZeroTail);

// c = a + b.
struct SumArgs {
  TensorView a;
  TensorView b;
  TensorView c;  // out, same shape, may be a or b
};
CONTINUO_OPERATION(Sum);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LAYERS_ELEMENTWISE_H_
