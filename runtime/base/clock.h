// SPDX-License-Identifier: Apache-2.0

// Two clocks: one for intervals, one for timestamps.
//
// The time of day can be set back or forward at any moment, by hand or by the
// network: no interval, rate or time limit may be measured with it.

#ifndef CONTINUO_RUNTIME_BASE_CLOCK_H_
#define CONTINUO_RUNTIME_BASE_CLOCK_H_

#include <functional>

#include "absl/time/time.h"

namespace continuo {

// Monotonic time, for intervals.
absl::Duration MonotonicTime();

// The time of day, only for timestamps and file names.
absl::Time WallTime();

// The clock of a job; tests use their own.
struct Clock {
  std::function<absl::Duration()> monotonic = MonotonicTime;
  std::function<absl::Time()> wall = WallTime;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_CLOCK_H_
