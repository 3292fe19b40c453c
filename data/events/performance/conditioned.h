// SPDX-License-Identifier: Apache-2.0

// The conditioned encoder: control signals in front of the inputs of any other
// encoder (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_CONDITIONED_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_CONDITIONED_H_

#include <memory>

#include "data/events/encoding/event_encoder.h"
#include "data/events/performance/control_source.h"

namespace continuo {

// Row i holds the controls of event i + 1, then the target's row i. Labels and
// everything else are the target's.
class ConditionedEncoder : public EventEncoder {
 public:
  ConditionedEncoder(std::unique_ptr<const EventEncoder> target,
                     const ControlSpec& spec,
                     std::shared_ptr<const ControlSource> controls);

  int input_size() const override;
  absl::Span<const int> head_sizes() const override;
  Event default_event() const override;
  absl::Span<const int64_t> default_label() const override;
  // O(end): the controls may depend on the time that has passed.
  absl::Status EncodeInputs(absl::Span<const Event> events, int begin, int end,
                            SparseRows* rows) const override;
  absl::Status EncodeLabel(absl::Span<const Event> events, int position,
                           absl::Span<int64_t> label) const override;
  Event DecodeLabel(absl::Span<const int64_t> label,
                    absl::Span<const Event> history) const override;
  int64_t LabelsToNumSteps(absl::Span<const int64_t> labels) const override;

 private:
  std::unique_ptr<const EventEncoder> target_;
  ControlSpec spec_;
  std::shared_ptr<const ControlSource> controls_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_CONDITIONED_H_
