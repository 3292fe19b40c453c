// The events of one track chunk, decoded into a MidiSongBuilder.

#ifndef CONTINUO_DATA_NOTES_MIDI_TRACK_H_
#define CONTINUO_DATA_NOTES_MIDI_TRACK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "data/notes/midi_song.h"
#include "data/notes/midi_song_builder.h"

namespace continuo {

// How to read what the standard leaves open or forbids.
enum class MidiRules {
  // As mido 1.3 and pretty_midi 0.2 do, which the original reads with, down to
  // their faults: the time in front of an unknown meta event is dropped, the
  // end-of-track event ends nothing, system messages set the running status,
  // and whatever mido or pretty_midi raises an exception for is an error.
  kOriginal,
  // By the standard, passing over what is damaged but not needed (key, meter
  // and tempo events without meaning, undefined system messages, wrong chunk
  // sizes around an end-of-track event).
  kLenient,
};

struct MidiTrackBytes {
  const uint8_t* file;   // of the whole file, for messages
  const uint8_t* begin;  // behind the chunk header
  const uint8_t* end;    // by the chunk header; null if behind file_end
  const uint8_t* file_end;
  int number;  // from 0; tempo, meter and key count in track 0 only
};

// Decodes a track. `*next` is where the next chunk begins. An error names the
// track and the byte; what the builder has got by then is of no use.
// OutOfRange for a tick above kMaxMidiTick, which no rules make readable.
absl::Status ParseMidiTrack(const MidiTrackBytes& track, MidiRules rules,
                            MidiSongBuilder* builder, MidiSong* song,
                            const uint8_t** next);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_TRACK_H_
