// SPDX-License-Identifier: Apache-2.0

// An encoder's InputFeedbackSpec as the operation of
// kernels/decoding/input_feedback.h takes it.

#ifndef CONTINUO_GENERATE_DECODING_INPUT_FEEDBACK_TABLES_H_
#define CONTINUO_GENERATE_DECODING_INPUT_FEEDBACK_TABLES_H_

#include "absl/types/span.h"
#include "data/events/encoding/input_feedback_spec.h"
#include "kernels/decoding/input_feedback.h"
#include "runtime/device/tensor.h"

namespace continuo {

// `index` and `value` are the spec's tables on the device.
InputFeedbackEncoding MakeInputFeedbackEncoding(
    const InputFeedbackSpec& spec, absl::Span<const int> head_sizes,
    const TensorView& index, const TensorView& value);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_INPUT_FEEDBACK_TABLES_H_
