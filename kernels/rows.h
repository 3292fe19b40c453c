// Moving whole rows of arrays.

#ifndef CONTINUO_KERNELS_ROWS_H_
#define CONTINUO_KERNELS_ROWS_H_

#include "absl/status/status.h"
#include "kernels/dispatch.h"
#include "runtime/tensor.h"

namespace continuo {

// out[r] = x[rows[r]].
struct GatherRowsArgs {
  TensorView x;     // [*, n]
  TensorView rows;  // [m] int32
  TensorView out;   // [m, n] out; does not overlap x
};
CONTINUO_OPERATION(GatherRows);

// x[s, to[r]] = x[s, from[r]] for every slot s. No row is in both lists.
struct CopySlotRowsArgs {
  TensorView x;     // [slots, rows, n] in and out
  TensorView from;  // [m] int32
  TensorView to;    // [m] int32, distinct
};
CONTINUO_OPERATION(CopySlotRows);

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

// c = a + b.
struct SumArgs {
  TensorView a;
  TensorView b;
  TensorView c;  // out, same shape, may be a or b
};
CONTINUO_OPERATION(Sum);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_ROWS_H_
