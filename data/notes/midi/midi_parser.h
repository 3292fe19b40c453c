// SPDX-License-Identifier: Apache-2.0

// MIDI files (formats 0, 1 and 2) to a MidiSong.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_PARSER_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_PARSER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/midi/midi_song.h"
#include "data/notes/reading.h"

namespace continuo {

// The most notes, controls, bends, tempos and signatures of one file, so that a
// damaged or hostile one takes at most some hundred megabytes.
inline constexpr int64_t kMaxMidiEvents = 2'000'000;

// Parses a file, also one wrapped in RIFF (.rmi) or after a short header of
// another kind.
//
// Reading::kMagenta: a file that Magenta reads gives what it reads there:
// tempo, meter and key of the first track, all tracks from tick 0, no tracks
// beyond the number in the header. kStandard: those of all tracks, tracks of
// format 2 one after another, and all tracks there are; where none of this
// applies, the same song.
//
// A file that Magenta rejects is read as far as its notes can be recognized
// (see MidiRules::kLenient), with the same difference between the readings.
// `report`, if not null, then says why Magenta rejects the file ("a wrong key
// signature: track 1, byte 31"), and in any case what was dropped, clipped or
// guessed (midi_faults.h). It is cleared first. An error if no note is left of
// a damaged file, or if damage ahead of its end costs the larger part.
//
// Errors say reason, then ": ", then details. Time is linear in the size of
// `bytes`; memory too, with about five bytes per byte.
absl::StatusOr<MidiSong> ParseMidi(absl::string_view bytes,
                                   const ReadOptions& options = {},
                                   ReadReport* report = nullptr);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_PARSER_H_
