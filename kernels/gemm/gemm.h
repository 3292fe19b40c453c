// SPDX-License-Identifier: Apache-2.0

// Dense products.
//
// On a GPU the order of sums may depend on the sizes of the product, and on
// nothing else; in bf16 an element of Gemm does not depend on the number of
// rows either.
//
// On the CPU every element of a product is one chain of fused multiply-adds in
// ascending order of the summed index (in WeightGradient: one chain for each
// kSumBlock events, the blocks added in order). The order depends on nothing
// else, so an element has the same bits at any number of rows, threads and
// blocks.

#ifndef CONTINUO_KERNELS_GEMM_GEMM_H_
#define CONTINUO_KERNELS_GEMM_GEMM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Floats that PackMatrix needs for a [k, n] matrix.
int64_t PackedSize(const Stream& stream, int64_t k, int64_t n);

// Brings a weight matrix into the layout that products read. On the CPU:
// panels of kPanel columns, each [k, kPanel] row-major, the last one padded
// with zero columns. On a GPU: row-major [k, n].
struct PackMatrixArgs {
  TensorView matrix;  // [k, n], or [n, k] with `transpose`
  bool transpose = false;
  TensorView packed;  // out: [PackedSize(k, n)]
};
CONTINUO_OPERATION(PackMatrix);

// c = a b + bias, or c += a b with `accumulate`. On a GPU a and c may be
// bfloat16; a and b are then rounded to it, as in bf16. Sums are float32.
struct GemmArgs {
  TensorView a;          // [m, k]
  TensorView b;          // packed [k, n]
  TensorView bias = {};  // [n] or not given (zeros); not with `accumulate`
  TensorView c;          // [m, n] out; does not overlap the others
  bool accumulate = false;
};
CONTINUO_OPERATION(Gemm);

// Events summed in one chain by WeightGradient.
inline constexpr int kSumBlock = 192;

// dw += x^T dz and db += column sums of dz: the gradient of weights that
// multiplied x row by row. With `rows`, row e of x is x[rows[e]], or zeros
// where rows[e] < 0.
struct WeightGradientArgs {
  TensorView x;          // [*, k]
  TensorView rows = {};  // [e] int32, or not given: x is [e, k]
  TensorView dz;         // [e, n]; on a GPU it may be bfloat16
  TensorView dw;         // [k, n] in and out; not given: only db
  TensorView db = {};    // [n] in and out, or not given
  TensorView scratch;    // [WeightGradientScratch(stream, e, k, n)]
};
int64_t WeightGradientScratch(const Stream& stream, int64_t e, int64_t k,
                              int64_t n);
CONTINUO_OPERATION(WeightGradient);
namespace gpu {
int64_t WeightGradientScratch(int64_t e, int64_t k, int64_t n);
}  // namespace gpu

}  // namespace continuo

#endif  // CONTINUO_KERNELS_GEMM_GEMM_H_
