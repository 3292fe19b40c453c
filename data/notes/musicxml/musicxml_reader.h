// SPDX-License-Identifier: Apache-2.0

// MusicXML scores, plain (.xml, .musicxml) or compressed (.mxl), to
// NoteSequences.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_READER_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_READER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Reads a score.
//
// Reading::kStandard: as MusicXML means it (musicxml_score_measure.h,
// musicxml_playback_order.h and musicxml_sequence.h say how). Repeats, endings,
// D.C., D.S., coda and Fine are played; tied notes are one; all parts follow
// one tempo map, made of metronome marks and <sound>s of any part, and keep
// together at every measure; a part's faults are its own. Something impossible
// is left out alone. The first part with a time or key signature gives it.
//
// Reading::kMagenta: what Magenta reads is equal (times to 1e-9 s), with its
// peculiarities (musicxml_magenta.h). What it rejects is read by the standard.
//
// `report` is cleared first. It says why Magenta rejects the score, and counts
// what was left out, clipped or guessed. id, filename and collection_name are
// unset.
//
// InvalidArgument for what is no score or lasts longer than kMaxScoreSeconds,
// ResourceExhausted beyond the limits of musicxml_document.h and
// musicxml_limits.h, which bound time and memory. Messages say the reason, then
// ": ", then details, but not the file.
absl::StatusOr<tensorflow::magenta::NoteSequence> ReadMusicXml(
    absl::string_view bytes, const ReadOptions& options = {},
    ReadReport* report = nullptr);

// The same into a message of the caller, which is cleared first and partly
// filled after an error.
absl::Status ReadMusicXml(absl::string_view bytes,
                          tensorflow::magenta::NoteSequence* sequence,
                          const ReadOptions& options = {},
                          ReadReport* report = nullptr);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_READER_H_
