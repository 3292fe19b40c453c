// SPDX-License-Identifier: Apache-2.0

// A directory of music files to TFRecords of NoteSequences.

#ifndef CONTINUO_DATA_NOTES_CONVERT_CONVERT_H_
#define CONTINUO_DATA_NOTES_CONVERT_CONVERT_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "runtime/base/work_share.h"

namespace continuo {

struct ConvertOptions {
  // As the user gave it: its last part (nothing after a closing "/") becomes
  // collection_name.
  std::string input_dir;
  std::string output_file;
  bool recursive = false;
  ReadOptions reading;
  // Above 1: output_file-00000-of-00008 and so on, sequences dealt in turn.
  int num_shards = 1;
  // Instead, of several processes with the same other options, this one: each
  // writes one shard, of every size-th file or tune, and the rest of `report`.
  // Together they write the sequences that one process writes.
  WorkShare share = {};
  int num_threads = 0;         // below 1: one per CPU
  std::string report_file;     // JSON lines, one per file or tune; "" for none
  bool progress_line = false;  // redraw one line; else now and then a log line
  // Set asynchronously (e.g. by a signal handler) to cancel; nothing is
  // written.
  const std::atomic<bool>* stop = nullptr;
};

struct ConvertSummary {
  int64_t files = 0;      // listed, whatever they are
  int64_t sequences = 0;  // written
  double seconds = 0;     // of the conversion
  // Files or tunes by reason.
  std::map<std::string, int64_t> skipped;
  std::map<std::string, int64_t> repaired;
  // Files or tunes that were read with a warning, by the warning's kind.
  std::map<std::string, int64_t> warned;
};

// Reads every file that has a format (formats.h) in a fixed order and writes
// one record per sequence, the same bytes for any number of threads. Files that
// fail are logged, counted and skipped. The outputs appear under their names
// when all is done.
//
// InvalidArgument with the reasons counted if nothing was read (one of several
// processes writes an empty shard then, if there are files for the others) (the
// report is written still), Cancelled after `stop`, and the errors of listing
// and writing; no output appears then.
absl::StatusOr<ConvertSummary> ConvertDirectory(const ConvertOptions& options);

// The id of a sequence: "/id/<type>/<collection>/<SHA-1 of the file's name>".
// For a tune of a book, "_<index>" follows `filename`.
std::string NoteSequenceId(absl::string_view type, absl::string_view collection,
                           absl::string_view filename);

// The kind of failure in a message: its first part, so that similar failures
// are counted together.
std::string FailureReason(absl::string_view message);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_CONVERT_CONVERT_H_
