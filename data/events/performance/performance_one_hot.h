// SPDX-License-Identifier: Apache-2.0

// The one-hot numbering of performance events (data/events/README.md):
// NOTE_ON 0..127, NOTE_OFF 128..255, TIME_SHIFT s at 255 + s, VELOCITY b at
// 355 + b.

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_ONE_HOT_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_ONE_HOT_H_

#include "data/events/encoding/one_hot.h"
#include "data/events/performance/performance.h"

namespace continuo {

class PerformanceOneHot : public OneHotEncoding {
 public:
  // 0 <= num_velocity_bins <= 127.
  explicit PerformanceOneHot(int num_velocity_bins);

  int num_classes() const override;
  Event default_event() const override;
  int EventToIndex(Event event) const override;
  Event IndexToEvent(int index) const override;
  int64_t EventSteps(Event event) const override {
    return PerformanceEventSteps(event);
  }
  absl::Status OutOfRange(Event event) const override;

 private:
  int num_velocity_bins_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_ONE_HOT_H_
