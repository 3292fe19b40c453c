// MIDI files (formats 0, 1 and 2) to a MidiSong.

#ifndef CONTINUO_DATA_NOTES_MIDI_PARSER_H_
#define CONTINUO_DATA_NOTES_MIDI_PARSER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/midi_song.h"
#include "data/notes/reading.h"

namespace continuo {

// The most notes, controls, bends, tempos and signatures of one file, so that a
// damaged or hostile one takes at most some hundred megabytes.
inline constexpr int64_t kMaxMidiEvents = 2'000'000;

// Parses a file, also one wrapped in RIFF (.rmi). All tracks of all formats
// begin at tick 0, as in the original.
//
// A file that the original reads gives what it reads there. One that it
// rejects is read by the standard where nothing needed is damaged, and
// `report`, if not null, then says what the original stumbles over ("a wrong
// key signature: track 1, byte 31"). It is cleared first.
//
// Errors say reason, then ": ", then details. Time is linear in the size of
// `bytes`; memory too, with about five bytes per byte.
absl::StatusOr<MidiSong> ParseMidi(absl::string_view bytes,
                                   const ReadOptions& options = {},
                                   ReadReport* report = nullptr);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_PARSER_H_
