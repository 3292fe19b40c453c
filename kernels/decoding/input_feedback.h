// SPDX-License-Identifier: Apache-2.0

// InputFeedback: the network's next input rows from the labels just drawn, so
// that a decoding loop need not leave the device.

#ifndef CONTINUO_KERNELS_DECODING_INPUT_FEEDBACK_H_
#define CONTINUO_KERNELS_DECODING_INPUT_FEEDBACK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/device/tensor.h"

namespace continuo {

// How labels become inputs: InputFeedbackSpec
// (data/events/encoding/input_feedback_spec.h says what the row of an event is)
// with its tables on the device.
struct InputFeedbackEncoding {
  static constexpr int kMaxHeads = 16;
  static constexpr int kMaxDistances = 4;

  int heads = 1;
  int head_begin[kMaxHeads + 1] = {};  // first class of each head, and the end
  int num_events = 0;
  int default_class = 0;
  int num_distances = 0;
  int distances[kMaxDistances] = {};
  int counter_bits = 0;
  int entries = 0;
  const int32_t* index = nullptr;  // [classes, entries]
  const float* value = nullptr;    // [classes, entries]
  bool key_melody = false;
  int min_note = 0;
};

// Entries of an input row; those that do not apply have value zero.
int64_t InputFeedbackEntries(const InputFeedbackEncoding& encoding);

// Integers that a row remembers of its labels. All zeros: no event yet.
int64_t InputFeedbackStateSize(const InputFeedbackEncoding& encoding);

// Row r of the next step continues row source[r] of the last one: its label
// enters the state, and the new state gives the inputs. A label outside its
// head, which only logits that are not finite can give, counts as class 0.
struct InputFeedbackArgs {
  InputFeedbackEncoding encoding;
  TensorView source = {};  // optional [N] int32 in [0, M); without it N = M
  TensorView choice;       // [M, heads] int64
  TensorView state;        // [M, S] int32
  TensorView next_state;   // out [N, S] int32; not `state`
  TensorView index;        // out [N, entries] int32, ascending within a row
  TensorView value;        // out [N, entries] float
};
CONTINUO_OPERATION(InputFeedback);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_DECODING_INPUT_FEEDBACK_H_
