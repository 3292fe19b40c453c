// MusicXML scores, plain (.xml, .musicxml) or compressed (.mxl), to
// NoteSequences.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_READER_H_
#define CONTINUO_DATA_NOTES_MUSICXML_READER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Reads a score. Where the original reads one the result is equal (times to
// 1e-9 s), its peculiarities included: repeats are not played, tied notes stay
// apart, instrument and program numbers are the file's 1-based ones, grace
// notes have no length and lie at time 0, and the last tempo of a part holds
// at the start of the next one. id, filename and collection_name are unset.
//
// Beyond it are read: time-wise scores (the original finds no notes in them),
// compound and alternating time signatures, signatures in mid-measure, senza
// misura, keys off the circle of fifths (left out) or with more than seven
// accidentals, decimal durations, unpitched notes with a MIDI sound, chord
// symbols of unknown kinds or in transposing parts, archives without a usable
// container, Latin-1 bytes in UTF-8 files. `report` then says what the original
// stumbles over; it is cleared first.
//
// Not read, with the reason, is what musicxml_note.h and its neighbours list.
// Some of it the original takes, into sequences that make no sense: documents
// that are no scores, negative durations, tempos and time signatures, pitches
// outside MIDI's range, more than kMaxScoreSeconds.
//
// InvalidArgument for what is no score or cannot be understood,
// ResourceExhausted beyond the limits of musicxml_document.h. Time and memory
// are bounded by those limits. Messages say the reason, then ": ", then details
// with part and measure, but not the file.
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

#endif  // CONTINUO_DATA_NOTES_MUSICXML_READER_H_
