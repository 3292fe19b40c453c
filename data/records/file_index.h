// SPDX-License-Identifier: Apache-2.0

// What is known of a file of examples without reading it again: where its
// records are, and how long.

#ifndef CONTINUO_DATA_RECORDS_FILE_INDEX_H_
#define CONTINUO_DATA_RECORDS_FILE_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/records/manifest.h"
#include "data/records/sequence_example.h"
#include "runtime/base/threads.h"
#include "runtime/files/mapped_file.h"

namespace continuo {

// The index of one file. 8 bytes a record.
class FileIndex {
 public:
  int64_t num_records() const { return static_cast<int64_t>(steps_.size()); }
  int32_t steps(int64_t record) const {
    return static_cast<int32_t>(steps_[record]);
  }
  int64_t num_events() const { return num_events_; }
  int max_steps() const { return max_steps_; }
  // Labels of each class, heads one after another.
  const std::vector<int64_t>& label_counts() const { return label_counts_; }
  const RecordDigest& digest() const { return digest_; }
  const std::vector<uint32_t>& all_steps() const { return steps_; }

  // Where the framing of a record begins in the file, and how long its data is.
  int64_t offset(int64_t record) const;
  int64_t size(int64_t record) const { return sizes_[record]; }

  // Reads the whole file and checks every record (checksums, format, labels) on
  // the threads of `pool`; the error of the first bad one names it. Memory does
  // not grow with the file: what was read is released.
  static absl::StatusOr<FileIndex> Scan(const MappedFile& file,
                                        const ExampleFormat& format,
                                        ThreadPool* pool);

  // Bytes from which Parse makes the same index.
  std::string Serialize() const;

  // DataLoss for bytes that are no index, or none of a file of `file_size`
  // bytes and of this format. Needs memory in proportion to `bytes` at most.
  static absl::StatusOr<FileIndex> Parse(absl::string_view bytes,
                                         int64_t file_size,
                                         const ExampleFormat& format);

 private:
  void Summarize();

  std::vector<uint32_t> sizes_;
  std::vector<uint32_t> steps_;
  std::vector<int64_t> label_counts_;
  RecordDigest digest_;
  // Follows from the rest.
  std::vector<int64_t> block_begin_;  // of every kBlock-th record
  int64_t num_events_ = 0;
  int max_steps_ = 0;
};

// Reads one record by an index and checks all of it: framing, checksums,
// format, labels, and that it has the steps that the index says.
absl::Status ReadIndexed(const MappedFile& file, const FileIndex& index,
                         int64_t record, const ExampleFormat& format,
                         EncodedSequence* example);

// Reads some records, evenly spread, the first and the last among them.
absl::Status CheckSample(const MappedFile& file, const FileIndex& index,
                         const ExampleFormat& format);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_FILE_INDEX_H_
