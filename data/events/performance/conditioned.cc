// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/conditioned.h"

#include <utility>
#include <vector>

#include "runtime/base/status.h"

namespace continuo {

ConditionedEncoder::ConditionedEncoder(
    std::unique_ptr<const EventEncoder> target, const ControlSpec& spec,
    std::shared_ptr<const ControlSource> controls)
    : target_(std::move(target)), spec_(spec), controls_(std::move(controls)) {}

int ConditionedEncoder::input_size() const {
  return spec_.width() + target_->input_size();
}

absl::Span<const int> ConditionedEncoder::head_sizes() const {
  return target_->head_sizes();
}

Event ConditionedEncoder::default_event() const {
  return target_->default_event();
}

absl::Span<const int64_t> ConditionedEncoder::default_label() const {
  return target_->default_label();
}

absl::Status ConditionedEncoder::EncodeInputs(absl::Span<const Event> events,
                                              int begin, int end,
                                              SparseRows* rows) const {
  std::vector<ControlValues> values;
  controls_->Append(events, begin + 1, end + 1, &values);
  SparseRows target;
  CONTINUO_RETURN_IF_ERROR(target_->EncodeInputs(events, begin, end, &target));
  rows->width = input_size();
  for (int row = 0; row < target.rows(); ++row) {
    AddControls(spec_, values[row], rows);
    for (int i = target.row_begin[row]; i < target.row_begin[row + 1]; ++i) {
      rows->Add(spec_.width() + target.index[i], target.value[i]);
    }
    rows->EndRow();
  }
  return absl::OkStatus();
}

absl::Status ConditionedEncoder::EncodeLabel(absl::Span<const Event> events,
                                             int position,
                                             absl::Span<int64_t> label) const {
  return target_->EncodeLabel(events, position, label);
}

Event ConditionedEncoder::DecodeLabel(absl::Span<const int64_t> label,
                                      absl::Span<const Event> history) const {
  return target_->DecodeLabel(label, history);
}

int64_t ConditionedEncoder::LabelsToNumSteps(
    absl::Span<const int64_t> labels) const {
  return target_->LabelsToNumSteps(labels);
}

}  // namespace continuo
