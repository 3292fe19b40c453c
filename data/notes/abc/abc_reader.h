// SPDX-License-Identifier: Apache-2.0

// ABC tunebooks to NoteSequences, one per tune.
//
// By the ABC standard 2.1: the first voice that has notes, the highest note of
// a chord, no grace notes; repeats, endings and parts played; octaves and
// transpositions of clefs, keys, voices and "%%MIDI transpose" applied.
// Instruments ("%%MIDI program") are not read. Under Reading::kMagenta a tune
// that Magenta reads is equal to what Magenta makes of it.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_READER_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_READER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"

namespace continuo {

struct AbcTune {
  // The "tune index" that the converter puts into ids, unique within a book:
  // the number of the "X:" field, as in sequence.reference_number. A number
  // that an earlier tune has already taken, or that is missing, is replaced by
  // the first free one above all numbers of the book.
  int64_t index = 0;
  // 1-based line of the tune's first line in the book, for messages.
  int line = 0;
  // OK, or why this tune was not read, as reason, ": ", line and remedy.
  // InvalidArgument for notation that cannot be read, ResourceExhausted for a
  // tune that would grow beyond the limits.
  absl::Status status;
  // `repair` is set under Reading::kMagenta alone: by the standard nothing is
  // wrong with a tune that Magenta rejects.
  ReadReport report;
  // Empty unless `status` is OK. id, filename and collection_name are unset.
  tensorflow::magenta::NoteSequence sequence;
};

struct AbcBook {
  // In the order of the file; tunes fail one by one.
  std::vector<AbcTune> tunes;
};

// Reads a book: `bytes` in UTF-8 or Latin-1 with any line ends. Text between
// tunes is passed over; a section without a number ("X:") is a tune if it has
// a key and notes. An error (InvalidArgument) if there is no tune at all. Time
// and memory are linear in the size of `bytes` (up to about 200 bytes for each,
// as one letter is a note) but for repeats: a tune ends at kMaxAbcPlayed of
// abc_playback_order.h, and a book whose repeats add up to far more notes than
// bytes is ResourceExhausted.
absl::StatusOr<AbcBook> ReadAbc(absl::string_view bytes,
                                const ReadOptions& options = {});

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_READER_H_
