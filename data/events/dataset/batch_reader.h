// SPDX-License-Identifier: Apache-2.0

// The input of a data set: the records of all files in order, a batch at a
// time.

#ifndef CONTINUO_DATA_EVENTS_DATASET_BATCH_READER_H_
#define CONTINUO_DATA_EVENTS_DATASET_BATCH_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/records/tfrecord.h"

namespace continuo {

struct RecordBatch {
  int64_t first_index = 0;  // over all files
  std::vector<absl::string_view> records;
};

class BatchReader {
 public:
  // A batch has enough sequences to keep this many threads busy.
  BatchReader(std::vector<std::string> paths, int num_threads);

  // Opens all files. InvalidArgument for a file of another kind, naming the
  // kind and the command that makes NoteSequences of it.
  absl::Status Open();

  // Fills `batch` with records of one file; an empty batch is the end. Records
  // of the batch before the last one must not be used any more.
  absl::Status Next(RecordBatch* batch);

  // Starts again from the first record. Before, with `keep_open`, files stay
  // open when they have been read.
  void set_keep_open(bool keep_open) { keep_open_ = keep_open; }
  void Rewind();

  // Of the files, in [0, 1].
  double fraction_read() const;
  int64_t total_bytes() const { return total_bytes_; }

 private:
  std::vector<std::string> paths_;
  size_t max_sequences_;
  std::vector<std::unique_ptr<TfRecordReader>> readers_;
  ManifestCheck manifests_;
  bool keep_open_ = false;
  size_t current_ = 0;
  size_t closed_ = 0;  // readers before this one are gone
  int64_t next_index_ = 0;
  int64_t read_bytes_ = 0;
  int64_t total_bytes_ = 0;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_BATCH_READER_H_
