// An encoder's FeedbackSpec as the operation of kernels/decoding/feedback.h
// takes it.

#ifndef CONTINUO_GENERATE_DECODING_FEEDBACK_TABLES_H_
#define CONTINUO_GENERATE_DECODING_FEEDBACK_TABLES_H_

#include "absl/types/span.h"
#include "data/events/encoding/feedback_spec.h"
#include "kernels/decoding/feedback.h"
#include "runtime/device/tensor.h"

namespace continuo {

// `index` and `value` are the spec's tables on the device.
FeedbackEncoding MakeFeedbackEncoding(const FeedbackSpec& spec,
                                      absl::Span<const int> head_sizes,
                                      const TensorView& index,
                                      const TensorView& value);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_FEEDBACK_TABLES_H_
