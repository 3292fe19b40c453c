// SPDX-License-Identifier: Apache-2.0

// NoteSequences to MIDI files, byte for byte as Magenta writes them.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_WRITER_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_WRITER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/proto/music.pb.h"

namespace continuo {

// A file of format 1: a track with tempos and signatures, then one for each
// instrument (instrument 0 first, always there). Resolution: the sequence's
// ticks_per_quarter, or 220. A missing first tempo is 120, a missing first
// meter 4/4. Note-offs are note-ons with velocity 0. `texts` (UTF-8) become
// text events at the very beginning; with none the bytes equal Magenta's.
//
// Better than Magenta: tempos may come in any order, notes of instrument 0 with
// several programs are all kept (a track each), and characters that Latin-1
// lacks in names become "?".
//
// InvalidArgument for what MIDI cannot hold (pitch 128, a tempo below 3.58, a
// meter of n/3, times that are not finite or too late), naming field and value.
absl::StatusOr<std::string> WriteMidi(
    const tensorflow::magenta::NoteSequence& sequence,
    const std::vector<std::string>& texts = {});

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_WRITER_H_
