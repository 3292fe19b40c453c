// SPDX-License-Identifier: Apache-2.0

// Events as golden JSON writes them: pitch lists of drums, [type, value] pairs
// of performances (four pairs for a note tuple).

#ifndef CONTINUO_TESTS_DATA_EVENTS_ENCODING_GOLDEN_EVENTS_H_
#define CONTINUO_TESTS_DATA_EVENTS_ENCODING_GOLDEN_EVENTS_H_

#include <vector>

#include "data/events/drums/drums.h"
#include "data/events/performance/note_tuple.h"
#include "data/events/performance/performance.h"
#include "nlohmann/json.hpp"

namespace continuo::testing {

inline Event PerformanceEventFromJson(const nlohmann::json& json) {
  if (json[0].is_array()) {
    return PackNoteTuple({.shift = json[0][1],
                          .pitch = json[1][1],
                          .velocity_bin = json[2][1],
                          .duration = json[3][1]});
  }
  return MakePerformanceEvent(json[0].get<PerformanceEventType>(),
                              json[1].get<int64_t>());
}

inline std::vector<Event> PerformanceEventsFromJson(
    const nlohmann::json& json) {
  std::vector<Event> events;
  for (const auto& event : json) {
    events.push_back(PerformanceEventFromJson(event));
  }
  return events;
}

inline std::vector<DrumHit> DrumHitsFromJson(const nlohmann::json& json) {
  std::vector<DrumHit> hits;
  for (const auto& step : json) {
    hits.emplace_back();
    for (const auto& pitch : step) hits.back().set(pitch.get<size_t>());
  }
  return hits;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_DATA_EVENTS_ENCODING_GOLDEN_EVENTS_H_
