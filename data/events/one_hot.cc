#include "data/events/one_hot.h"

#include <utility>

#include "runtime/log.h"

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
