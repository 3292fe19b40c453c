// Moving whole rows of arrays.

#ifndef CONTINUO_KERNELS_LAYERS_ROWS_H_
#define CONTINUO_KERNELS_LAYERS_ROWS_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/ragged_layout.h"
#include "runtime/device/tensor.h"

namespace continuo {

// out[r] = x[rows[r]].
struct GatherRowsArgs {
  TensorView x;     // [*, n]
  TensorView rows;  // [m] int32
  TensorView out;   // [m, n] out; does not overlap x
};
CONTINUO_OPERATION(GatherRows);

// x[to[r]] = x[from[r]]. No row is in both lists.
struct CopyRowsArgs {
  TensorView x;     // [rows, ...] in and out
  TensorView from;  // [m] int32
  TensorView to;    // [m] int32, distinct
};
CONTINUO_OPERATION(CopyRows);

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

#endif  // CONTINUO_KERNELS_LAYERS_ROWS_H_
