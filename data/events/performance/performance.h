// SPDX-License-Identifier: Apache-2.0

// Performances: expressive playing as a stream of note-ons, note-offs, time
// shifts and velocity changes on a grid of 10 ms (data/events/README.md).
// Extraction: data/events/performance/performance_extract.h.

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/events/encoding/event_encoder.h"
#include "data/proto/music.pb.h"

namespace continuo {

inline constexpr int kPerformanceStepsPerSecond = 100;
inline constexpr int kMaxShiftSteps = 100;  // of one time-shift event
inline constexpr int kMinVelocity = 1;
inline constexpr int kMaxVelocity = 127;
inline constexpr int kDefaultVelocity = 100;

// The numbers are those of Magenta's event types.
enum class PerformanceEventType {
  kNoteOn = 1,     // value: pitch 0..127
  kNoteOff = 2,    // value: pitch 0..127
  kTimeShift = 3,  // value: steps
  kVelocity = 4,   // value: velocity bin 1..n of all notes that follow
  kNoteTuple = 6,  // a whole note: data/events/performance/note_tuple.h
};

// An Event holds the type above bit 48 and the value below.
inline constexpr int kPerformanceValueBits = 48;

constexpr Event MakePerformanceEvent(PerformanceEventType type, int64_t value) {
  return (static_cast<Event>(type) << kPerformanceValueBits) | value;
}
constexpr PerformanceEventType PerformanceTypeOf(Event event) {
  return static_cast<PerformanceEventType>(event >> kPerformanceValueBits);
}
constexpr int64_t PerformanceValueOf(Event event) {
  return event & ((int64_t{1} << kPerformanceValueBits) - 1);
}

// Steps by which an event moves time forward: the value of a time shift, the
// shift in front of a note tuple, else 0.
int64_t PerformanceEventSteps(Event event);

// "NOTE_ON 60", for messages.
std::string PerformanceEventName(Event event);

struct Performance {
  // Note tuples only, or none of them.
  std::vector<Event> events = {};
  int64_t start_step = 0;     // of the first event in the sequence
  int num_velocity_bins = 0;  // 0: no velocity events
  // Remembered for decoding; nothing if the notes disagree.
  std::optional<int> program = std::nullopt;
  std::optional<bool> is_drum = std::nullopt;
};

// Steps from the start to the end of the last event (of the last note, for note
// tuples).
int64_t PerformanceSteps(const Performance& performance);

// Extends the last non-maximal time shift and appends more of them, or cuts
// from the end, dropping what is met on the way, until the performance has
// `steps` steps. Note tuples are only ever cut: notes that start at or after
// `steps` go and longer ones end there (Magenta leaves them, and then fails on
// the result).
void SetPerformanceLength(int64_t steps, Performance* performance);

// Velocities 1..127 in `num_bins` >= 1 bins of equal size, numbered from 1, and
// the lowest velocity of a bin.
int VelocityToBin(int velocity, int num_bins);
int VelocityOfBin(int bin, int num_bins);

struct PerformanceToSequenceOptions {
  int velocity = kDefaultVelocity;  // until the first velocity event
  int instrument = 0;
  // Overrides that of the performance.
  std::optional<int> program = std::nullopt;
  // Longer notes are cut to this many seconds. Not applied to note tuples.
  std::optional<double> max_note_duration = std::nullopt;
};

// The performance as notes in seconds, without a tempo, in the order they end.
// A note-off ends the oldest sounding note of its pitch and is ignored without
// one; notes of no length are dropped; notes that never end last to the end of
// the performance.
tensorflow::magenta::NoteSequence PerformanceToSequence(
    const Performance& performance,
    const PerformanceToSequenceOptions& options = {});

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_PERFORMANCE_H_
