// Two clocks: one for intervals, one for stamps.
//
// The time of day can be set back or forward at any moment, by hand or by the
// network: no interval, rate or time limit may be measured with it.

#ifndef CONTINUO_RUNTIME_BASE_CLOCK_H_
#define CONTINUO_RUNTIME_BASE_CLOCK_H_

#include <functional>

#include "absl/time/time.h"

namespace continuo {

// The time since some moment in the past, for intervals. It never goes back.
absl::Duration MonotonicTime();

// The time of day, for stamps and names of files alone.
absl::Time WallTime();

// Where a job takes its time from; tests put in their own.
struct Clock {
  std::function<absl::Duration()> monotonic = MonotonicTime;
  std::function<absl::Time()> wall = WallTime;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_CLOCK_H_
