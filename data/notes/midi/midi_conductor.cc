// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_conductor.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace continuo {
namespace {

constexpr uint32_t kDefaultTempo = 500000;  // microseconds per quarter

bool ChangesNothing(const MidiTempo& a, const MidiTempo& b) {
  return a.microseconds_per_quarter == b.microseconds_per_quarter;
}
bool ChangesNothing(const MidiMeter& a, const MidiMeter& b) {
  return a.numerator == b.numerator && a.denominator == b.denominator;
}
bool ChangesNothing(const MidiKey& a, const MidiKey& b) {
  return a.sharps == b.sharps && a.is_minor == b.is_minor;
}

template <typename Event>
void KeepFirstTrack(MidiFault fault, std::vector<Event>* events,
                    MidiFaults* faults) {
  // Tracks come in the order of their numbers.
  const auto end =
      std::find_if(events->begin(), events->end(),
                   [](const Event& event) { return event.track > 0; });
  faults->Add(fault, events->end() - end);
  events->erase(end, events->end());
}

template <typename Event>
void Merge(std::vector<Event>* events, MidiFaults* faults) {
  if (events->empty() || events->back().track == 0) return;
  std::stable_sort(
      events->begin(), events->end(),
      [](const Event& a, const Event& b) { return a.tick < b.tick; });
  std::vector<Event> merged;
  merged.reserve(events->size());
  for (const Event& event : *events) {
    if (event.track > 0) {
      if (!merged.empty() && ChangesNothing(merged.back(), event)) continue;
      while (!merged.empty() && merged.back().tick == event.tick &&
             merged.back().track != event.track) {
        faults->Add(MidiFault::kOverride);
        merged.pop_back();
      }
      if (!merged.empty() && ChangesNothing(merged.back(), event)) continue;
    }
    merged.push_back(event);
  }
  *events = std::move(merged);
}

// The events of `event`'s track are the last ones, in order.
template <typename Event>
void AddInFront(const Event& event, std::vector<Event>* events) {
  auto place = events->end();
  while (place != events->begin() && (place - 1)->track == event.track) {
    --place;
  }
  if (place != events->end() && place->tick == event.tick) return;
  events->insert(place, event);
}

}  // namespace

void ResolveMidiConductor(Reading reading, MidiSong* song, MidiFaults* faults) {
  if (reading == Reading::kMagenta) {
    KeepFirstTrack(MidiFault::kTempoElsewhere, &song->tempos, faults);
    KeepFirstTrack(MidiFault::kMeterElsewhere, &song->meters, faults);
    KeepFirstTrack(MidiFault::kKeyElsewhere, &song->keys, faults);
    return;
  }
  Merge(&song->tempos, faults);
  Merge(&song->meters, faults);
  Merge(&song->keys, faults);
}

void ResetMidiConductor(int track, uint32_t start_tick, MidiSong* song) {
  if (start_tick == 0) return;  // what came before took no time
  AddInFront(MidiTempo{start_tick, kDefaultTempo, track}, &song->tempos);
  if (!song->meters.empty()) {
    AddInFront(MidiMeter{start_tick, 4, 4, track}, &song->meters);
  }
}

}  // namespace continuo
