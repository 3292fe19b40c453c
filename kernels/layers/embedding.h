// SPDX-License-Identifier: Apache-2.0

// Products with sparse rows: a gather-sum of weight rows, and its gradient.

#ifndef CONTINUO_KERNELS_LAYERS_EMBEDDING_H_
#define CONTINUO_KERNELS_LAYERS_EMBEDDING_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/tensor.h"

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
// Entries of value zero are as good as none.
struct GatherSumArgs {
  SparseView inputs;   // [rows, width]
  TensorView weights;  // [width, n]
  TensorView bias;     // [n]
  TensorView out;      // [rows, n] out; on a GPU it may be bfloat16
};
CONTINUO_OPERATION(GatherSum);

// dw[index] += value * dz[r] for all entries, rows in ascending order; on a GPU
// the sums of chunks of rows (as many as `width` says), added in order.
struct ScatterAddArgs {
  SparseView inputs;        // [rows, width]
  TensorView dz;            // [rows, n]; on a GPU it may be bfloat16
  TensorView dw;            // [width, n] in and out
  TensorView scratch = {};  // [ScatterAddScratch(stream, rows, width, n)]
};
// None on the CPU.
int64_t ScatterAddScratch(const Stream& stream, int64_t rows, int64_t width,
                          int64_t n);
CONTINUO_OPERATION(ScatterAdd);
namespace gpu {
int64_t ScatterAddScratch(int64_t rows, int64_t width, int64_t n);
}  // namespace gpu

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LAYERS_EMBEDDING_H_
