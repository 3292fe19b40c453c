// SPDX-License-Identifier: Apache-2.0

// Per-tensor gradient clipping and Adam on the flat parameter buffer.

#ifndef CONTINUO_KERNELS_LAYERS_OPTIMIZER_H_
#define CONTINUO_KERNELS_LAYERS_OPTIMIZER_H_

#include <compare>
#include <cstdint>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/tensor.h"

namespace continuo {

// What is the same for all updates of a training; the defaults are
// TensorFlow's.
struct AdamParams {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double clip_norm = 0;  // of each tensor's gradient; <= 0: off
  auto operator<=>(const AdamParams&) const = default;
};

// For each tensor: g = gradient * clip_norm / max(norm, clip_norm) (clip_norm
// <= 0: g = gradient), m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2)
// g^2, weight -= rate * m / (sqrt(v) + epsilon), where `rate` already holds the
// bias correction. Norms are sums in double in a fixed order.
struct ClipAdamArgs {
  TensorView tensor_begin;  // [tensors + 1] int64 ascending flat offsets; gaps
                            // inside a tensor's range hold zeros
  TensorView gradient;      // [flat]
  TensorView weights;       // [flat] in and out
  TensorView m;             // [flat] in and out
  TensorView v;             // [flat] in and out
  AdamParams adam;
  TensorView rate;           // [1] float
  TensorView squared_norms;  // [tensors] double out: before clipping
  TensorView scratch = {};   // [ClipAdamScratch(stream, tensors)] double
};
// None on the CPU.
int64_t ClipAdamScratch(const Stream& stream, int64_t tensors);
CONTINUO_OPERATION(ClipAdam);
namespace gpu {
int64_t ClipAdamScratch(int64_t tensors);
}  // namespace gpu

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LAYERS_OPTIMIZER_H_
