// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/performance_one_hot.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

using enum PerformanceEventType;

// The first index of each type; the value of a shift or velocity begins at 1.
constexpr int kFirstNoteOff = 128;
constexpr int kFirstShift = 256;
constexpr int kFirstVelocity = kFirstShift + kMaxShiftSteps;

}  // namespace

PerformanceOneHot::PerformanceOneHot(int num_velocity_bins)
    : num_velocity_bins_(num_velocity_bins) {
  CONTINUO_CHECK(num_velocity_bins >= 0 && num_velocity_bins <= kMaxVelocity);
}

int PerformanceOneHot::num_classes() const {
  return kFirstVelocity + num_velocity_bins_;
}

Event PerformanceOneHot::default_event() const {
  return MakePerformanceEvent(kTimeShift, kMaxShiftSteps);
}

int PerformanceOneHot::EventToIndex(Event event) const {
  const auto value = PerformanceValueOf(event);
  const auto within = [value](int64_t low, int64_t high, int first) {
    if (value < low || value > high) return -1;
    return static_cast<int>(value - low) + first;
  };
  switch (PerformanceTypeOf(event)) {
    case kNoteOn:
      return within(0, 127, 0);
    case kNoteOff:
      return within(0, 127, kFirstNoteOff);
    case kTimeShift:
      return within(1, kMaxShiftSteps, kFirstShift);
    case kVelocity:
      return within(1, num_velocity_bins_, kFirstVelocity);
    case kNoteTuple:
      return -1;
  }
  return -1;
}

Event PerformanceOneHot::IndexToEvent(int index) const {
  if (index < kFirstNoteOff) return MakePerformanceEvent(kNoteOn, index);
  if (index < kFirstShift) {
    return MakePerformanceEvent(kNoteOff, index - kFirstNoteOff);
  }
  if (index < kFirstVelocity) {
    return MakePerformanceEvent(kTimeShift, index - kFirstShift + 1);
  }
  return MakePerformanceEvent(kVelocity, index - kFirstVelocity + 1);
}

absl::Status PerformanceOneHot::OutOfRange(Event event) const {
  return absl::InvalidArgumentError(absl::StrCat(
      "performance event ", PerformanceEventName(event),
      " is outside the encoding: expected NOTE_ON or NOTE_OFF 0..127, "
      "TIME_SHIFT 1..",
      kMaxShiftSteps,
      num_velocity_bins_ == 0
          ? std::string(" and no VELOCITY")
          : absl::StrCat(" or VELOCITY 1..", num_velocity_bins_)));
}

}  // namespace continuo
