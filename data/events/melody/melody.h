// SPDX-License-Identifier: Apache-2.0

// Melodies: monophonic lines on a grid of steps, and operations on them
// (data/events/README.md). Extraction: data/events/melody/melody_extract.h.

#ifndef CONTINUO_DATA_EVENTS_MELODY_MELODY_H_
#define CONTINUO_DATA_EVENTS_MELODY_MELODY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "data/proto/music.pb.h"

namespace continuo {

inline constexpr Event kMelodyNoEvent = -2;  // hold the note or the silence
inline constexpr Event kMelodyNoteOff = -1;
inline constexpr int kNumSpecialMelodyEvents = 2;
inline constexpr Event kMaxMelodyPitch = 127;

struct Melody {
  std::vector<Event> events;  // one per step
  int64_t start_step = 0;     // of the first event in the sequence
  int64_t steps_per_bar = 16;
  int steps_per_quarter = 4;

  int64_t end_step() const {
    return start_step + static_cast<int64_t>(events.size());
  }
};

// A melody that starts at step 0. Note-offs before the first note become "no
// event". InvalidArgument names an event outside -2..127 and its position.
absl::StatusOr<Melody> MelodyFromEvents(std::vector<Event> events);

// Cuts the melody to `steps`, or extends it by "no event" after ending a
// sounding note with a note-off at the first new step.
void SetMelodyLength(int64_t steps, Melody* melody);

// Number of notes of each pitch class, C first.
std::array<int, 12> PitchClassCounts(absl::Span<const Event> events);

// For each of the 12 major keys the sum of the counts of its seven pitch
// classes.
std::array<int, 12> MajorKeyScores(const std::array<int, 12>& pitch_classes);

// The key with the highest score, the lowest of several; 0 without notes.
int MajorKey(absl::Span<const Event> events);

// Adds `amount` to every pitch and folds those outside [min_note, max_note)
// back by octaves (so it cannot be undone when something was folded).
void TransposeEvents(int amount, int min_note, int max_note,
                     absl::Span<Event> events);

// Transposes by the amount that brings the melody into `key` (no key: by 0)
// with its middle as near that of the range as octaves allow, folding what
// remains outside [min_note, max_note). Returns the amount; 0 without notes.
int SquashEvents(int min_note, int max_note, std::optional<int> key,
                 absl::Span<Event> events);

struct MelodyToSequenceOptions {
  int velocity = 100;
  int instrument = 0;
  int program = 0;
  double start_time = 0;  // seconds, added to that of melody.start_step
  double qpm = 120;
};

// The melody as notes in seconds with one tempo; a note lasts to the next
// note, note-off or the end.
tensorflow::magenta::NoteSequence MelodyToSequence(
    const Melody& melody, const MelodyToSequenceOptions& options = {});

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_MELODY_MELODY_H_
