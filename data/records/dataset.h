// SPDX-License-Identifier: Apache-2.0

// Data sets of training examples: shards, index, batches.

#ifndef CONTINUO_DATA_RECORDS_DATASET_H_
#define CONTINUO_DATA_RECORDS_DATASET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/records/batch.h"
#include "data/records/file_index.h"
#include "data/records/manifest.h"
#include "data/records/sequence_example.h"
#include "runtime/base/threads.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {

struct OpenDatasetOptions {
  // Keep the index of a file of at least so many bytes beside it, and use one
  // that is there; a smaller one is read in no time. Negative: never.
  int64_t min_kept_bytes = int64_t{1} << 20;
  // Instead, SerializeIndex of the process that has read the files.
  absl::string_view index = "";
};

// The examples of one or more TFRecord files, which stay mapped; memory holds 8
// bytes per example, and some 64 MiB of what was read last. Safe to read from
// several threads.
class Dataset {
 public:
  // Opens the files of `spec` (data/records/shards.h). Checks every record of a
  // file once (checksums, format, labels) on the threads of `pool`, so that
  // nothing about the data can fail in the middle of a training, and keeps the
  // index of what it found beside the file. Where there is one, made since the
  // file was last written to, only a few records are checked now, and the
  // others when they are read.
  //
  // InvalidArgument that says what to do if there are no examples.
  static absl::StatusOr<std::unique_ptr<Dataset>> Open(
      absl::string_view spec, const ExampleFormat& format, ThreadPool* pool,
      const OpenDatasetOptions& options = {});

  const ExampleFormat& format() const { return format_; }
  int64_t num_files() const { return static_cast<int64_t>(files_.size()); }
  // Files that were not read as a whole, as their index was there.
  int64_t num_files_not_read() const;
  int64_t num_examples() const { return num_examples_; }
  int64_t num_events() const { return num_events_; }
  int num_steps(int64_t example) const;
  int max_steps() const { return max_steps_; }
  // Of all files in order: made of their digests, and so told without reading
  // them.
  const RecordDigest& digest() const { return digest_; }

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

  // The index, for other processes that open the same files.
  std::string SerializeIndex() const;

 private:
  struct File {
    std::string path;  // as it was opened
    std::unique_ptr<MappedFile> mapped;
    std::unique_ptr<FileWatch> watch;
    FileIndex index;
    bool was_read = false;  // by this process, all records
  };
  struct Place {
    const File& file;
    int64_t record;
  };

  Dataset() = default;
  absl::Status OpenFiles(const std::vector<std::string>& paths);
  absl::Status IndexFiles(const OpenDatasetOptions& options, ThreadPool* pool);
  absl::Status TakeIndex(absl::string_view bytes);
  absl::Status ScanFile(File* file, bool keep, ThreadPool* pool);
  absl::Status CheckSets() const;
  void Summarize();
  Place Find(int64_t example) const;
  absl::Status ReadUnwatched(int64_t i, EncodedSequence* example) const;
  // DataLoss if the file of one of the examples has been changed.
  absl::Status CheckUnchanged(const std::vector<int64_t>& examples) const;
  // Bounds the memory that is mapped to what was read.
  void CountRead(int64_t bytes) const;

  ExampleFormat format_;
  std::vector<File> files_;
  std::vector<int64_t> first_example_;  // of each file
  int64_t num_examples_ = 0;
  int64_t num_events_ = 0;
  int64_t num_bytes_ = 0;
  int max_steps_ = 0;
  RecordDigest digest_;
  std::vector<int64_t> label_counts_;
  mutable std::atomic<int64_t> bytes_mapped_{0};  // since the last release
};

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_DATASET_H_
