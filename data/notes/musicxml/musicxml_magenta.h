// SPDX-License-Identifier: Apache-2.0

// MusicXML scores as Magenta reads them.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_H_

#include <vector>

#include "absl/status/status.h"
#include "data/notes/musicxml/musicxml_parts.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Adds the parts' music to `sequence`, times in Magenta's order of operations:
// repeats are not played, tied notes stay apart, instrument and program numbers
// are the file's 1-based ones, and the last tempo of a part holds at the start
// of the next one. musicxml_magenta_measure.h and musicxml_magenta_note.h have
// the rest.
//
// InvalidArgument, with the place, for what Magenta rejects; also for what it
// makes no sense of: tempos and time signatures below 0, pitches outside MIDI's
// range, times beyond kMaxScoreSeconds. `sequence` is partly filled then.
absl::Status ReadAsMagenta(const std::vector<PartNodes>& parts,
                           tensorflow::magenta::NoteSequence* sequence,
                           ReadReport* report);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_H_
