// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_timeline.h"

#include <algorithm>

#include "runtime/base/log.h"

namespace continuo {

Timeline::Timeline(int64_t ticks_per_quarter)
    : ticks_per_quarter_(static_cast<double>(ticks_per_quarter)),
      segments_(1) {}

void Timeline::SetTempo(int64_t tick, double qpm) {
  CONTINUO_CHECK(tick >= segments_.back().tick);
  if (qpm == segments_.back().qpm) return;
  if (tick > segments_.back().tick) {
    segments_.push_back({tick, SecondsFrom(segments_.back(), tick), qpm});
    return;
  }
  segments_.back().qpm = qpm;
  // Two changes at once can take back the first.
  const size_t size = segments_.size();
  if (size > 1 && segments_[size - 2].qpm == qpm) segments_.pop_back();
}

double Timeline::Seconds(int64_t tick) const {
  const auto after =
      std::upper_bound(segments_.begin() + 1, segments_.end(), tick,
                       [](int64_t wanted, const Segment& segment) {
                         return wanted < segment.tick;
                       });
  return SecondsFrom(*(after - 1), tick);
}

double Timeline::SecondsFrom(const Segment& segment, int64_t tick) const {
  return segment.seconds + static_cast<double>(tick - segment.tick) /
                               ticks_per_quarter_ * (60 / segment.qpm);
}

}  // namespace continuo
