// SPDX-License-Identifier: Apache-2.0

// Sampling: one class per softmax head from logits, given uniform draws.
//
// The draws come from the caller, so a sample is a pure function of the row's
// logits and its own draw: neither batching nor threads can change it.

#ifndef CONTINUO_KERNELS_DECODING_SAMPLING_H_
#define CONTINUO_KERNELS_DECODING_SAMPLING_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// How a class is drawn from a softmax; the defaults are plain sampling.
struct SamplingParams {
  double temperature = 1.0;  // > 0, divides the logits
  // Only the `top_k` most probable classes of a head; 0 = all. Equally
  // probable classes: the lower index first.
  int top_k = 0;
  // Then only the fewest most probable classes that reach this share of what
  // top_k left; 1 = all.
  double top_p = 1.0;
};

// Per row and head: p = softmax(logits / temperature) in double; classes
// outside the top-k and top-p sets (if on) get weight zero; the choice is the
// first class whose cumulative weight, divided by the total, exceeds u.
struct SampleArgs {
  TensorView logits;                 // [N, C] float32
  absl::Span<const int> head_sizes;  // classes of each head; they sum to C
  SamplingParams sampling = {};
  TensorView u;  // [N, heads] double in [0, 1)
  // Optional [N, heads] int64: a class >= 0 is taken instead of drawing one
  // (the known events of a primer), -1 draws.
  TensorView teacher_forced = {};
  TensorView choice;  // out [N, heads] int64
  // Out [N] double: sum over heads of ln p(choice) under the tempered softmax
  // of all classes, whatever top_k and top_p leave out.
  TensorView log_p;
  TensorView probabilities =
      {};  // optional out [N, C] double: the softmax itself
  // Optional [1] int32, on a GPU: the lowest row whose logits are not finite,
  // if lower than what it holds.
  TensorView bad_row = {};
};

// Row n's logits must be finite (minus infinity excepted: probability zero);
// otherwise the weights have diverged or are damaged. On the CPU
// InvalidArgument names the first such row. A GPU form does not wait to see
// one: such a row gets class 0, log_p not-a-number, and goes to `bad_row`.
CONTINUO_OPERATION(Sample);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_DECODING_SAMPLING_H_
