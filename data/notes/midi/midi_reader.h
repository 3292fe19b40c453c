// SPDX-License-Identifier: Apache-2.0

// MIDI files to NoteSequences, by the standard or as Magenta reads them.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_READER_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_READER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Reads a file (formats 0, 1, 2; also wrapped in RIFF). Where Magenta reads it,
// the result of Reading::kMagenta is equal to the last bit of every time; for
// others, and for kStandard, see ParseMidi (midi_parser.h), which also fills
// `report`. id, filename and collection_name stay unset.
//
// Files with SMPTE time, for which Magenta gives negative times, are read by
// their frame rate: tempo events do not count, the tempo is 120, and
// ticks_per_quarter is the number of ticks in half a second.
//
// InvalidArgument for what is not a MIDI file or too damaged, OutOfRange for
// times beyond 2^31 ticks, ResourceExhausted for more than kMaxMidiEvents
// events. Messages say the reason, then ": ", then details, but not the file.
absl::StatusOr<tensorflow::magenta::NoteSequence> ReadMidi(
    absl::string_view bytes, const ReadOptions& options = {},
    ReadReport* report = nullptr);

// The same into a message of the caller, which is cleared first. One on an
// arena is filled about three times as fast.
absl::Status ReadMidi(absl::string_view bytes,
                      tensorflow::magenta::NoteSequence* sequence,
                      const ReadOptions& options = {},
                      ReadReport* report = nullptr);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_READER_H_
