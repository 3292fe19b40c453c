// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_tempo.h"

#include <algorithm>
#include <cmath>

#include "runtime/base/log.h"

namespace continuo {

void TempoMap::Append(int64_t tick, double scale) {
  const Segment& last = segments_.back();
  CONTINUO_CHECK(tick >= last.tick && scale > 0);
  segments_.push_back({tick, scale, TimeInSegment(segments_.size() - 1, tick)});
}

double TempoMap::TimeInSegment(size_t segment, int64_t tick) const {
  const Segment& s = segments_[segment];
  return s.start + s.scale * static_cast<double>(tick - s.tick);
}

// The last segment that begins at or before `tick`: of two changes on one tick
// the later counts.
size_t TempoMap::Find(int64_t tick) const {
  const auto after = std::upper_bound(
      segments_.begin(), segments_.end(), tick,
      [](int64_t t, const Segment& segment) { return t < segment.tick; });
  return static_cast<size_t>(after - segments_.begin()) - 1;
}

double TempoMap::Tick(double seconds) const {
  const Segment& last = segments_.back();
  if (seconds > last.start) {
    return std::nearbyint(static_cast<double>(last.tick) +
                          (seconds - last.start) / last.scale);
  }
  // The first segment that starts at or after the time; the tick lies in the
  // one before it.
  const auto next = std::lower_bound(
      segments_.begin(), segments_.end(), seconds,
      [](const Segment& segment, double t) { return segment.start < t; });
  if (next == segments_.begin()) return 0;
  const size_t segment = static_cast<size_t>(next - segments_.begin()) - 1;
  // The smallest tick in (low, high] whose time is not before `seconds`.
  int64_t low = segments_[segment].tick;
  int64_t high = next->tick;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (TimeInSegment(segment, middle) < seconds ? low : high) = middle;
  }
  const double before = std::fabs(seconds - TimeInSegment(segment, high - 1));
  const double after = std::fabs(seconds - TimeInSegment(segment, high));
  return static_cast<double>(before < after ? high - 1 : high);
}

}  // namespace continuo
