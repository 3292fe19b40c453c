// SPDX-License-Identifier: Apache-2.0

// What a score command reads: music files, TFRecords of NoteSequences and data
// sets.

#ifndef CONTINUO_GENERATE_SCORING_SCORE_SOURCES_H_
#define CONTINUO_GENERATE_SCORING_SCORE_SOURCES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"
#include "data/records/tfrecord.h"
#include "runtime/base/work_share.h"

namespace continuo {

// A music file, or one record of a TFRecord file.
struct ScoreSource {
  std::string file;
  std::optional<int64_t> record;  // its number in the file, from 0
  std::string bytes;              // of the record; files are read later
  bool is_example = false;        // a training example, ready to be scored
  absl::Status status;            // why there is nothing to read
};

// The sources of all inputs in order, a part at a time.
class ScoreSources {
 public:
  // `inputs` are files, patterns, or folders (their files in byte order, with
  // `recursive` also those of subfolders). NotFound names what does not exist.
  // Of all files and records, counted together, those of `share` are taken.
  static absl::StatusOr<ScoreSources> Open(
      const std::vector<std::string>& inputs, bool recursive,
      const WorkShare& share = {});

  // The next sources, at most `count`; none at the end. DataLoss names file and
  // offset of a damaged TFRecord.
  absl::StatusOr<std::vector<ScoreSource>> Next(int count);

 private:
  struct File {
    std::string path;
    absl::Status status;
  };
  // Counts a source; whether it is to be taken.
  bool IsMine() { return share_.Has(next_source_++); }

  WorkShare share_;
  int64_t next_source_ = 0;
  std::vector<File> files_;
  size_t next_file_ = 0;
  std::unique_ptr<TfRecordReader> records_;  // of files_[next_file_ - 1]
  int64_t next_record_ = 0;
  bool are_examples_ = false;  // the records
};

// Calls `use` for each piece of a source: its tune's number where the file is
// a book, and its notes (which `use` may change) or why there are none. Not for
// training examples.
void ReadSource(
    const ScoreSource& source, const ReadOptions& reading,
    absl::FunctionRef<void(std::optional<int64_t>,
                           absl::StatusOr<tensorflow::magenta::NoteSequence*>)>
        use);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_SCORING_SCORE_SOURCES_H_
