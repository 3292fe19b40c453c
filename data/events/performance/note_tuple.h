// SPDX-License-Identifier: Apache-2.0

// Note tuples: performances as whole notes, and their encoder with six softmax
// heads (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_NOTE_TUPLE_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_NOTE_TUPLE_H_

#include <array>

#include "data/events/encoding/event_encoder.h"

namespace continuo {

// Largest shift and duration of a tuple.
inline constexpr int kMaxTupleSteps = 1000;

struct NoteTuple {
  int shift = 0;         // steps from the previous note's start, 0..1000
  int pitch = 0;         // 0..127
  int velocity_bin = 1;  // 1..num_velocity_bins
  int duration = 1;      // steps, 1..1000
};

// As an Event of type PerformanceEventType::kNoteTuple, and back. The fields
// must be within [0, 2^12).
Event PackNoteTuple(const NoteTuple& tuple);
NoteTuple UnpackNoteTuple(Event event);

// Inputs: the one-hots of the six labels one after another. Labels: major and
// minor digit of the shift (13 x 77), pitch, velocity bin - 1, major and minor
// digit of duration - 1 (25 x 40).
class NoteTupleEncoder : public EventEncoder {
 public:
  // 1 <= num_velocity_bins <= 127.
  explicit NoteTupleEncoder(int num_velocity_bins);

  int input_size() const override { return num_classes(); }
  absl::Span<const int> head_sizes() const override { return head_sizes_; }
  Event default_event() const override;
  absl::Span<const int64_t> default_label() const override {
    return default_label_;
  }
  absl::Status EncodeInputs(absl::Span<const Event> events, int begin, int end,
                            SparseRows* rows) const override;
  absl::Status EncodeLabel(absl::Span<const Event> events, int position,
                           absl::Span<int64_t> label) const override;
  Event DecodeLabel(absl::Span<const int64_t> label,
                    absl::Span<const Event> history) const override;
  int64_t LabelsToNumSteps(absl::Span<const int64_t> labels) const override;
  std::optional<InputFeedbackSpec> InputFeedback() const override;

 private:
  std::array<int, 6> head_sizes_;
  std::array<int64_t, 6> default_label_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_NOTE_TUPLE_H_
