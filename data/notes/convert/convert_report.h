// SPDX-License-Identifier: Apache-2.0

// What became of each file: lines of JSON, and reasons to count by.

#ifndef CONTINUO_DATA_NOTES_CONVERT_CONVERT_REPORT_H_
#define CONTINUO_DATA_NOTES_CONVERT_CONVERT_REPORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "runtime/files/file.h"

namespace continuo {

// One piece of a file, converted or not.
struct ConvertedItem {
  int64_t index = 0;  // of a tune in its book
  absl::Status status;
  ReadReport report;
  std::string id;
  int num_notes = 0;
  double total_time = 0;  // seconds
  std::string record;     // serialized NoteSequence
};

// A file with one JSON object per line, for each file or tune:
//   file     its name relative to the input folder
//   tune     its index, in books only
//   status   "converted", "repaired" (read, but Magenta rejects it) or
//            "skipped"
//   reason   of "repaired" and "skipped": the kind of failure
//   message  the same with details
//   warnings  what was dropped, clipped or guessed: kind to count
//   id, notes, seconds   of what was converted
class ConvertReport {
 public:
  static absl::StatusOr<std::unique_ptr<ConvertReport>> Create(
      const std::string& path);

  // `status` is that of the file as a whole; `items` are its pieces if OK.
  absl::Status Add(const std::string& file, const absl::Status& status,
                   const std::vector<ConvertedItem>& items, bool is_book);
  // To be committed.
  AtomicFile& file() { return *file_; }

 private:
  explicit ConvertReport(std::unique_ptr<AtomicFile> file)
      : file_(std::move(file)) {}
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_CONVERT_CONVERT_REPORT_H_
