// SPDX-License-Identifier: Apache-2.0

// Moving rows of an array.

#ifndef CONTINUO_KERNELS_LAYERS_COPY_ROWS_H_
#define CONTINUO_KERNELS_LAYERS_COPY_ROWS_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
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

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LAYERS_COPY_ROWS_H_
