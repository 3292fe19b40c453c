// SPDX-License-Identifier: Apache-2.0

// The events of one track chunk, decoded into a MidiSongBuilder.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_TRACK_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_TRACK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "data/notes/midi/midi_faults.h"
#include "data/notes/midi/midi_song.h"
#include "data/notes/midi/midi_song_builder.h"

namespace continuo {

// How to read what the standard leaves open or forbids.
enum class MidiRules {
  // As mido 1.3 and pretty_midi 0.2 do, which Magenta reads with, down to their
  // faults: the time before an unknown meta event is dropped, the end-of-track
  // event ends nothing, system messages set the running status, and whatever
  // mido or pretty_midi raises an exception for is an error.
  kMagenta,
  // By the standard, passing over what is damaged but not needed. The size of a
  // track is believed only where a chunk can begin after it.
  kLenient,
};

// What the tracks of a file share.
struct MidiParse {
  MidiSong* song;
  MidiSongBuilder* builder;
  MidiFaults* faults;
  // Bytes that look-aheads may still scan, so that the time for a damaged file
  // is linear in its size.
  int64_t look_ahead;
};

struct MidiTrackBytes {
  const uint8_t* file;   // of the whole file, for messages
  const uint8_t* begin;  // after the chunk header
  const uint8_t* end;    // by the chunk header; null if behind file_end
  const uint8_t* file_end;
  int number;           // from 0
  uint32_t start_tick;  // of all events
};

struct MidiTrackResult {
  const uint8_t* next;  // where the next chunk begins
  uint32_t end_tick;    // of the last event
  bool has_end;         // the last event is that of the end of the track
  // Lenient rules: OK, or the damage at which reading ended, and how many bytes
  // of the track that cost.
  absl::Status damage;
  int64_t lost_bytes = 0;
  // And what was passed over ahead of the first note.
  absl::Status front_damage;
};

// Decodes a track. An error names the track and the byte; the builder is of no
// use then. OutOfRange for a tick above kMaxMidiTick, which no rules make
// readable. Lenient rules fail for nothing else: a track is read up to damage
// that they cannot pass over, or, if bytes out of range preceded it, up to the
// first of these.
absl::Status ParseMidiTrack(const MidiTrackBytes& track, MidiRules rules,
                            MidiParse* parse, MidiTrackResult* result);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_TRACK_H_
