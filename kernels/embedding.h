// Products with sparse rows: a gather-sum of weight rows, and its gradient.

#ifndef CONTINUO_KERNELS_EMBEDDING_H_
#define CONTINUO_KERNELS_EMBEDDING_H_

#include "absl/status/status.h"
#include "kernels/dispatch.h"
#include "runtime/tensor.h"

namespace continuo {

// Compressed sparse rows on the device (data/records/sparse_rows.h). Indices
// lie in [0, width of the weights), ascending within a row.
struct SparseView {
  TensorView row_begin;  // [rows + 1] int32
  TensorView index;      // [entries] int32
  TensorView value;      // [entries] float

  int64_t rows() const { return row_begin.shape[0] - 1; }
};

// out[r] = bias + sum over the entries of row r of value * weights[index].
struct GatherSumArgs {
  SparseView inputs;   // [rows, width]
  TensorView weights;  // [width, n]
  TensorView bias;     // [n]
  TensorView out;      // [rows, n] out
};
CONTINUO_OPERATION(GatherSum);

// dw[index] += value * dz[r] for all entries, rows in ascending order.
struct ScatterAddArgs {
  SparseView inputs;  // [rows, width]
  TensorView dz;      // [rows, n]
  TensorView dw;      // [width, n] in and out
};
CONTINUO_OPERATION(ScatterAdd);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_EMBEDDING_H_
