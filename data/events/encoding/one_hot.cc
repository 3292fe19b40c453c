// SPDX-License-Identifier: Apache-2.0

#include "data/events/encoding/one_hot.h"

#include <algorithm>
#include <utility>

#include "runtime/base/log.h"

namespace continuo {

OneHotEncoder::OneHotEncoder(std::unique_ptr<const OneHotEncoding> one_hot,
                             bool index_inputs)
    : one_hot_(std::move(one_hot)),
      index_inputs_(index_inputs),
      head_sizes_{one_hot_->num_classes()},
      default_label_{one_hot_->EventToIndex(one_hot_->default_event())} {}

absl::Status OneHotEncoder::EncodeInputs(absl::Span<const Event> events,
                                         int begin, int end,
                                         SparseRows* rows) const {
  rows->width = input_size();
  for (int position = begin; position < end; ++position) {
    const int index = one_hot_->EventToIndex(events[position]);
    if (index < 0) return one_hot_->OutOfRange(events[position]);
    rows->Add(index, 1.0f);
    rows->EndRow();
  }
  return absl::OkStatus();
}

absl::Status OneHotEncoder::EncodeLabel(absl::Span<const Event> events,
                                        int position,
                                        absl::Span<int64_t> label) const {
  const int index = one_hot_->EventToIndex(events[position]);
  if (index < 0) return one_hot_->OutOfRange(events[position]);
  label[0] = index;
  return absl::OkStatus();
}

Event OneHotEncoder::DecodeLabel(absl::Span<const int64_t> label,
                                 absl::Span<const Event>) const {
  CONTINUO_CHECK(label[0] >= 0 && label[0] < head_sizes_[0]);
  return one_hot_->IndexToEvent(static_cast<int>(label[0]));
}

std::optional<InputFeedbackSpec> OneHotEncoder::InputFeedback() const {
  const int classes = head_sizes_[0];
  SparseRows rows;
  for (int i = 0; i < classes; ++i) {
    const Event event = one_hot_->IndexToEvent(i);
    CONTINUO_CHECK(EncodeInputs({&event, 1}, 0, 1, &rows).ok());
  }
  InputFeedbackSpec spec{.num_events = classes,
                         .default_class = static_cast<int>(default_label_[0])};
  for (int i = 0; i < classes; ++i) {
    spec.entries =
        std::max(spec.entries, rows.row_begin[i + 1] - rows.row_begin[i]);
  }
  for (int i = 0; i < classes; ++i) {
    for (int k = 0; k < spec.entries; ++k) {
      const int entry = rows.row_begin[i] + k;
      const bool present = entry < rows.row_begin[i + 1];
      spec.index.push_back(present ? rows.index[entry]
                           : k > 0 ? spec.index.back()
                                   : 0);
      spec.value.push_back(present ? rows.value[entry] : 0.0f);
    }
  }
  return spec;
}

int64_t OneHotEncoder::LabelsToNumSteps(
    absl::Span<const int64_t> labels) const {
  int64_t steps = 0;
  for (int64_t label : labels) {
    steps +=
        one_hot_->EventSteps(one_hot_->IndexToEvent(static_cast<int>(label)));
  }
  return steps;
}

}  // namespace continuo
