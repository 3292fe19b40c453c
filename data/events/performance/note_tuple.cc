// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/note_tuple.h"

#include "absl/strings/str_cat.h"
#include "data/events/performance/performance.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr int kFieldBits = 12;
constexpr int64_t kFieldMask = (1 << kFieldBits) - 1;

// A number of 1001 (shift) or 1000 (duration) values as two digits, with the
// split that has the fewest classes.
constexpr int kShiftMajor = 13;
constexpr int kShiftMinor = 77;
constexpr int kDurationMajor = 25;
constexpr int kDurationMinor = 40;
static_assert(kShiftMajor * kShiftMinor == kMaxTupleSteps + 1);
static_assert(kDurationMajor * kDurationMinor == kMaxTupleSteps);

enum Head {
  kShiftHiHead,
  kShiftLoHead,
  kPitchHead,
  kVelocityHead,
  kDurationHiHead,
  kDurationLoHead
};

NoteTuple LabelToTuple(absl::Span<const int64_t> label) {
  return {.shift = static_cast<int>(label[kShiftHiHead] * kShiftMinor +
                                    label[kShiftLoHead]),
          .pitch = static_cast<int>(label[kPitchHead]),
          .velocity_bin = static_cast<int>(label[kVelocityHead]) + 1,
          .duration = static_cast<int>(label[kDurationHiHead] * kDurationMinor +
                                       label[kDurationLoHead]) +
                      1};
}

}  // namespace

Event PackNoteTuple(const NoteTuple& tuple) {
  Event fields = 0;
  for (int value :
       {tuple.shift, tuple.pitch, tuple.velocity_bin, tuple.duration}) {
    CONTINUO_CHECK(value >= 0 && value <= kFieldMask);
    fields = fields << kFieldBits | value;
  }
  return MakePerformanceEvent(PerformanceEventType::kNoteTuple, fields);
}

NoteTuple UnpackNoteTuple(Event event) {
  const auto field = [event](int i) {
    return static_cast<int>(event >> (i * kFieldBits) & kFieldMask);
  };
  return {.shift = field(3),
          .pitch = field(2),
          .velocity_bin = field(1),
          .duration = field(0)};
}

// The default is a shift of nothing to a middle C of one step, which counts as
// "no event" in the accuracies of Magenta.
NoteTupleEncoder::NoteTupleEncoder(int num_velocity_bins)
    : head_sizes_{kShiftMajor,       kShiftMinor,    128,
                  num_velocity_bins, kDurationMajor, kDurationMinor},
      default_label_{0, 0, 60, 0, 0, 0} {
  CONTINUO_CHECK(num_velocity_bins >= 1 && num_velocity_bins <= kMaxVelocity);
}

Event NoteTupleEncoder::default_event() const {
  return PackNoteTuple(LabelToTuple(default_label_));
}

absl::Status NoteTupleEncoder::EncodeInputs(absl::Span<const Event> events,
                                            int begin, int end,
                                            SparseRows* rows) const {
  rows->width = input_size();
  std::array<int64_t, 6> label;
  for (int position = begin; position < end; ++position) {
    CONTINUO_RETURN_IF_ERROR(
        EncodeLabel(events, position, absl::MakeSpan(label)));
    int column = 0;
    for (size_t head = 0; head < label.size(); ++head) {
      rows->Add(column + static_cast<int>(label[head]), 1.0f);
      column += head_sizes_[head];
    }
    rows->EndRow();
  }
  return absl::OkStatus();
}

absl::Status NoteTupleEncoder::EncodeLabel(absl::Span<const Event> events,
                                           int position,
                                           absl::Span<int64_t> label) const {
  const Event event = events[position];
  const NoteTuple tuple = UnpackNoteTuple(event);
  if (PerformanceTypeOf(event) != PerformanceEventType::kNoteTuple ||
      tuple.shift > kMaxTupleSteps || tuple.pitch > 127 ||
      tuple.velocity_bin < 1 ||
      tuple.velocity_bin > head_sizes_[kVelocityHead] || tuple.duration < 1 ||
      tuple.duration > kMaxTupleSteps) {
    return absl::InvalidArgumentError(absl::StrCat(
        "performance event ", PerformanceEventName(event),
        " is outside the encoding: expected a note with TIME_SHIFT 0..",
        kMaxTupleSteps, ", NOTE_ON 0..127, VELOCITY 1..",
        head_sizes_[kVelocityHead], " and DURATION 1..", kMaxTupleSteps));
  }
  label[kShiftHiHead] = tuple.shift / kShiftMinor;
  label[kShiftLoHead] = tuple.shift % kShiftMinor;
  label[kPitchHead] = tuple.pitch;
  label[kVelocityHead] = tuple.velocity_bin - 1;
  label[kDurationHiHead] = (tuple.duration - 1) / kDurationMinor;
  label[kDurationLoHead] = (tuple.duration - 1) % kDurationMinor;
  return absl::OkStatus();
}

Event NoteTupleEncoder::DecodeLabel(absl::Span<const int64_t> label,
                                    absl::Span<const Event>) const {
  for (int head = 0; head < num_heads(); ++head) {
    CONTINUO_CHECK(label[head] >= 0 && label[head] < head_sizes_[head]);
  }
  return PackNoteTuple(LabelToTuple(label));
}

std::optional<InputFeedbackSpec> NoteTupleEncoder::InputFeedback() const {
  InputFeedbackSpec spec{.num_events = num_classes()};
  SetOneHotTable(num_classes(), &spec);
  return spec;
}

int64_t NoteTupleEncoder::LabelsToNumSteps(
    absl::Span<const int64_t> labels) const {
  int64_t steps = 0;
  int64_t last_duration = 0;
  for (size_t i = 0; i < labels.size(); i += head_sizes_.size()) {
    const NoteTuple tuple = LabelToTuple(labels.subspan(i, 6));
    steps += tuple.shift;
    last_duration = tuple.duration;
  }
  return steps + last_duration;
}

}  // namespace continuo
