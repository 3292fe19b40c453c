// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/input_feedback_tables.h"

#include <algorithm>

#include "runtime/base/log.h"

namespace continuo {

InputFeedbackEncoding MakeInputFeedbackEncoding(
    const InputFeedbackSpec& spec, absl::Span<const int> head_sizes,
    const TensorView& index, const TensorView& value) {
  const int distances = static_cast<int>(spec.distances.size());
  const int heads = static_cast<int>(head_sizes.size());
  CONTINUO_CHECK(distances <= InputFeedbackEncoding::kMaxDistances &&
                 heads <= InputFeedbackEncoding::kMaxHeads &&
                 (heads == 1 || distances == 0));
  InputFeedbackEncoding encoding{.heads = heads,
                                 .num_events = spec.num_events,
                                 .default_class = spec.default_class,
                                 .num_distances = distances,
                                 .counter_bits = spec.counter_bits,
                                 .entries = spec.entries,
                                 .index = index.data<int32_t>(),
                                 .value = value.data<float>(),
                                 .key_melody = spec.key_melody,
                                 .min_note = spec.min_note};
  for (int head = 0; head < heads; ++head) {
    encoding.head_begin[head + 1] =
        encoding.head_begin[head] + head_sizes[head];
  }
  std::copy(spec.distances.begin(), spec.distances.end(), encoding.distances);
  return encoding;
}

}  // namespace continuo
