// SPDX-License-Identifier: Apache-2.0

// Drum tracks: the set of drums struck at each step of a grid, and the classes
// that a model distinguishes (data/events/README.md). Extraction:
// data/events/drums/drums_extract.h.

#ifndef CONTINUO_DATA_EVENTS_DRUMS_DRUMS_H_
#define CONTINUO_DATA_EVENTS_DRUMS_DRUMS_H_

#include <bitset>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "data/proto/music.pb.h"

namespace continuo {

inline constexpr int kNumDrumPitches = 128;

// The pitches struck together.
using DrumHit = std::bitset<kNumDrumPitches>;

struct DrumTrack {
  std::vector<DrumHit> hits;  // one per step
  int64_t start_step = 0;     // of the first one in the sequence
  int64_t steps_per_bar = 16;
  int steps_per_quarter = 4;

  int64_t end_step() const {
    return start_step + static_cast<int64_t>(hits.size());
  }
};

// A track that starts at step 0 from the pitches of each step. InvalidArgument
// names a pitch outside 0..127 and its position.
absl::StatusOr<DrumTrack> DrumTrackFromPitches(
    absl::Span<const std::vector<int64_t>> steps);

// Cuts the track to `steps`, or extends it by silence.
void SetDrumTrackLength(int64_t steps, DrumTrack* track);

// Classes of drums: class i holds `classes[i]`, whose first pitch stands for
// the class when an event is played. A pitch is in one class at most.
using DrumClasses = std::vector<std::vector<int>>;

// The nine classes of drum_kit, bass drum to ride cymbal.
const DrumClasses& NineDrumClasses();
// The single class of one_drum: all pitches, a hand clap (39) first.
const DrumClasses& OneDrumClass();

// The event of a hit: bit i is set if a drum of class i is struck. Pitches of
// no class vanish.
Event DrumHitToEvent(const DrumClasses& classes, const DrumHit& hit);
std::vector<Event> DrumTrackToEvents(const DrumClasses& classes,
                                     const DrumTrack& track);

// The first pitch of each class of an event.
DrumHit DrumEventToHit(const DrumClasses& classes, Event event);

struct DrumsToSequenceOptions {
  int velocity = 100;
  int instrument = 9;
  int program = 0;
  double start_time = 0;  // seconds, added to that of track.start_step
  double qpm = 120;
};

// The track as drum notes of one step each, lowest pitch first, with one tempo.
tensorflow::magenta::NoteSequence DrumTrackToSequence(
    const DrumTrack& track, const DrumsToSequenceOptions& options = {});

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DRUMS_DRUMS_H_
