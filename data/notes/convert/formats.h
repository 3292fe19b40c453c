// SPDX-License-Identifier: Apache-2.0

// The formats that note sequences are read from: one table, one row each.

#ifndef CONTINUO_DATA_NOTES_CONVERT_FORMATS_H_
#define CONTINUO_DATA_NOTES_CONVERT_FORMATS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"
#include "google/protobuf/arena.h"

namespace continuo {

// Larger files are not read.
inline constexpr int64_t kMaxNoteFileBytes = int64_t{1} << 26;

// One piece of a file: a sequence or why there is none.
struct NoteFileItem {
  // Of a tune in a book, as its id has it; 0 for formats that hold one piece.
  int64_t index = 0;
  // OK, or the failure: reason, ": ", details.
  absl::Status status;
  ReadReport report;
  // On the arena; without id, filename and collection_name. Null on failure.
  tensorflow::magenta::NoteSequence* sequence = nullptr;
};

struct NoteFormat {
  absl::string_view id;                    // as in ids: "midi"
  absl::string_view title;                 // in messages: "MIDI"
  std::vector<absl::string_view> endings;  // of file names, lower case: ".mid"
  // True if a file holds any number of pieces, so that ids tell them apart.
  bool is_book;
  // An error if the file as a whole cannot be read; else its pieces in order,
  // whose sequences live on `arena`.
  absl::StatusOr<std::vector<NoteFileItem>> (*read)(
      absl::string_view bytes, const ReadOptions& options,
      google::protobuf::Arena* arena);
};

absl::Span<const NoteFormat> NoteFormats();

// The format of a file by its name's ending in any case; null if it has none.
const NoteFormat* FindNoteFormat(absl::string_view filename);

// The same where a file was named by the user, with its contents: these decide
// where the name does not, as for a pipe (/dev/fd/63, "-").
const NoteFormat* FindNoteFormat(absl::string_view filename,
                                 absl::string_view bytes);

// All endings, for messages: ".mid, .midi, .abc".
std::string NoteFormatEndings();

// Formats with their endings, for help: "MIDI (.mid, .midi), ABC (.abc)".
std::string NoteFormatSummary();

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_CONVERT_FORMATS_H_
