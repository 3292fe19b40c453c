// SPDX-License-Identifier: Apache-2.0

// Where the control values of a performance come from: measured at each event
// or requested over time.

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROL_SOURCE_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROL_SOURCE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "data/events/performance/controls.h"

namespace continuo {

// Stateless and safe to share between threads.
class ControlSource {
 public:
  virtual ~ControlSource() = default;

  // Appends the values at the events with the numbers [begin, end) of a
  // performance of which `events` (at least end - 1) are known: the values at
  // an event may depend on what came before it, not on the event.
  virtual void Append(absl::Span<const Event> events, int begin, int end,
                      std::vector<ControlValues>* values) const = 0;
};

// Given event by event; the last values hold on.
class ControlTrack : public ControlSource {
 public:
  // `values` must not be empty.
  explicit ControlTrack(std::vector<ControlValues> values);

  void Append(absl::Span<const Event> events, int begin, int end,
              std::vector<ControlValues>* values) const override;

 private:
  std::vector<ControlValues> values_;
};

// A value that changes at given steps: each holds from its step on, the first
// one also before. Ascending, not empty.
template <typename T>
using Changes = std::vector<std::pair<int64_t, T>>;

// `values` (not empty) as equal parts of `total_steps` >= 1 steps: value i
// holds at step t with floor(t * count / total) = i, the last one for good.
template <typename T>
Changes<T> EqualParts(const std::vector<T>& values, int64_t total_steps) {
  const auto count = static_cast<int64_t>(values.size());
  Changes<T> changes;
  for (int64_t i = 0; i < count; ++i) {
    changes.emplace_back((i * total_steps + count - 1) / count, values[i]);
  }
  return changes;
}

// Given over time, in steps from the start of the performance: an event takes
// the values at the time it happens.
class ControlSchedule : public ControlSource {
 public:
  struct Values {
    Changes<double> notes_per_second = {{0, kDefaultNotesPerSecond}};
    Changes<PitchHistogram> pitch_class_histogram = {
        {0, ControlValues().pitch_class_histogram}};
    Changes<bool> disabled = {{0, false}};
  };
  explicit ControlSchedule(Values values);

  void Append(absl::Span<const Event> events, int begin, int end,
              std::vector<ControlValues>* values) const override;

 private:
  Values values_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROL_SOURCE_H_
