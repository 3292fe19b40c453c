// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/control_source.h"

#include <algorithm>

#include "data/events/performance/performance.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

template <typename T>
bool IsUsable(const Changes<T>& changes) {
  return !changes.empty() && std::is_sorted(changes.begin(), changes.end(),
                                            [](const auto& a, const auto& b) {
                                              return a.first < b.first;
                                            });
}

template <typename T>
const T& ValueAt(const Changes<T>& changes, int64_t step) {
  auto next = std::upper_bound(
      changes.begin(), changes.end(), step,
      [](int64_t at, const auto& change) { return at < change.first; });
  if (next != changes.begin()) --next;
  return next->second;
}

}  // namespace

ControlTrack::ControlTrack(std::vector<ControlValues> values)
    : values_(std::move(values)) {
  CONTINUO_CHECK(!values_.empty());
}

void ControlTrack::Append(absl::Span<const Event>, int begin, int end,
                          std::vector<ControlValues>* values) const {
  const auto last = static_cast<int>(values_.size()) - 1;
  for (int i = begin; i < end; ++i) {
    values->push_back(values_[std::min(i, last)]);
  }
}

ControlSchedule::ControlSchedule(Values values) : values_(std::move(values)) {
  CONTINUO_CHECK(IsUsable(values_.notes_per_second) &&
                 IsUsable(values_.pitch_class_histogram) &&
                 IsUsable(values_.disabled));
}

void ControlSchedule::Append(absl::Span<const Event> events, int begin, int end,
                             std::vector<ControlValues>* values) const {
  int64_t step = 0;
  for (int i = 0; i < end; ++i) {
    if (i > 0) step += PerformanceEventSteps(events[i - 1]);
    if (i < begin) continue;
    values->push_back(
        {.notes_per_second = ValueAt(values_.notes_per_second, step),
         .pitch_class_histogram = ValueAt(values_.pitch_class_histogram, step),
         .disabled = ValueAt(values_.disabled, step)});
  }
}

}  // namespace continuo
