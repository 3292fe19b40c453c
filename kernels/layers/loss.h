// SPDX-License-Identifier: Apache-2.0

// Softmax, cross-entropy, counts and the gradient of the logits in one pass.

#ifndef CONTINUO_KERNELS_LAYERS_LOSS_H_
#define CONTINUO_KERNELS_LAYERS_LOSS_H_

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/tensor.h"

namespace continuo {

// A row of logits holds one softmax per head, side by side. Every label lies
// within its head, or is -1 in all heads of a row: not an event, no gradient.
// Events are summed in chunks of a fixed size, in order.
struct SoftmaxLossArgs {
  TensorView logits;         // [E, classes]
  TensorView labels;         // [E, heads] int64
  TensorView head_begin;     // [heads + 1] int32, first class of each head
  TensorView default_label;  // [heads] int64
  // Gradient of scale * (sum of the cross-entropies); may be `logits`. Not
  // given: only the sums are computed.
  TensorView dlogits = {};   // [E, classes] out
  TensorView scale = {};     // [1] float; with dlogits
  TensorView cross_entropy;  // [1] double: += nats
  // [4] int64: += labels that differ from the default label and of these
  // those predicted (argmax, ties to the lowest class), then the same for
  // labels equal to it.
  TensorView counts;
  TensorView class_labels;   // [classes] int64: += labels of each class
  TensorView class_correct;  // [classes] int64: += of these predicted
  TensorView predicted;      // [E, heads] int32 out: argmax within the head
  TensorView chunk_sums;     // [ceil(E / kLossChunk)] double scratch
};
inline constexpr int kLossChunk = 256;
CONTINUO_OPERATION(SoftmaxLoss);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_LAYERS_LOSS_H_
