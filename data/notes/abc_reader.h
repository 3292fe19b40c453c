// ABC tunebooks to NoteSequences, one per tune.
//
// Where the original reads a tune the result is equal. Beyond it: the first
// voice only, the highest note of a chord, tuplets and rests at their notated
// lengths, grace notes skipped, repeats and endings played.

#ifndef CONTINUO_DATA_NOTES_ABC_READER_H_
#define CONTINUO_DATA_NOTES_ABC_READER_H_

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
  ReadReport report;
  // Empty unless `status` is OK. id, filename and collection_name are unset.
  tensorflow::magenta::NoteSequence sequence;
};

struct AbcBook {
  // In the order of the file; tunes fail one by one.
  std::vector<AbcTune> tunes;
};

// Reads a book: `bytes` in UTF-8 or Latin-1 with any line ends. An error
// (InvalidArgument) if there is no tune at all in it. Time and memory are
// linear in the size of `bytes` (up to about 200 bytes for each, as one letter
// is a note) but for repeats: a tune ends at kMaxAbcPlayed of abc_order.h, and
// a book whose repeats add up to far more notes than bytes is
// ResourceExhausted.
absl::StatusOr<AbcBook> ReadAbc(absl::string_view bytes,
                                const ReadOptions& options = {});

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_READER_H_
