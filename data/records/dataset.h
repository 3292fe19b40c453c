// SPDX-License-Identifier: Apache-2.0

// Data sets of training examples: shards, index, batches.

#ifndef CONTINUO_DATA_RECORDS_DATASET_H_
#define CONTINUO_DATA_RECORDS_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/records/batch.h"
#include "data/records/manifest.h"
#include "data/records/sequence_example.h"
#include "runtime/base/threads.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {

// The examples of one or more TFRecord files, which stay mapped; memory holds
// 24 bytes per example. Safe to read from several threads.
class Dataset {
 public:
  // Opens the files that a path or pattern matches, sorted by name. Checks
  // every record once (checksums, format, labels) on the threads of `pool`, so
  // that nothing about the data can fail in the middle of a training.
  // InvalidArgument that says what to do if there are no examples.
  static absl::StatusOr<std::unique_ptr<Dataset>> Open(
      absl::string_view pattern, const ExampleFormat& format, ThreadPool* pool);

  const ExampleFormat& format() const { return format_; }
  int64_t num_files() const { return static_cast<int64_t>(files_.size()); }
  int64_t num_examples() const { return static_cast<int64_t>(index_.size()); }
  int64_t num_events() const { return num_events_; }
  int num_steps(int64_t example) const { return index_[example].steps; }
  int max_steps() const { return max_steps_; }
  const RecordDigest& digest() const { return digest_; }  // of all files

  // The most events that `rows` different examples can have together.
  int64_t MaxEvents(int rows) const;

  // How often each class occurs among the labels, heads one after another.
  const std::vector<int64_t>& label_counts() const { return label_counts_; }

  // Mean over labels of the entropy of their head's class frequencies, in
  // nats: the loss of the best prediction that ignores all context.
  double UnigramEntropy() const;

  // Reads example `i` in file order. DataLoss that names the file and what has
  // become of it if it is changed in place, as for ReadBatch.
  absl::Status Read(int64_t i, EncodedSequence* example) const;

  // Reads and packs the examples `indices` in this order of drawing.
  absl::StatusOr<PackedBatch> ReadBatch(
      const std::vector<int64_t>& indices) const;

 private:
  struct Entry {
    int64_t offset = 0;  // of the record's data in its file
    int32_t size = 0;
    int32_t file = 0;
    int32_t steps = 0;
  };

  Dataset() = default;
  absl::Status IndexFiles();
  absl::Status CheckExamples(ThreadPool* pool);
  std::string Where(int64_t example) const;
  absl::string_view Record(const Entry& entry) const;

  ExampleFormat format_;
  // DataLoss if the file of one of the examples has been changed.
  absl::Status CheckUnchanged(const std::vector<int64_t>& examples) const;

  std::vector<std::unique_ptr<MappedFile>> files_;
  std::vector<std::unique_ptr<FileWatch>> watches_;  // of files_
  std::vector<int64_t> first_example_;               // of each file
  std::vector<Entry> index_;
  RecordDigest digest_;
  int64_t num_events_ = 0;
  int max_steps_ = 0;
  std::vector<int64_t> label_counts_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_DATASET_H_
