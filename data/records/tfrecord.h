// SPDX-License-Identifier: Apache-2.0

// TFRecord files: length-prefixed records with masked CRC-32C (uncompressed).
// Event files of TensorBoard use the same framing.

#ifndef CONTINUO_DATA_RECORDS_TFRECORD_H_
#define CONTINUO_DATA_RECORDS_TFRECORD_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/records/manifest.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {

// Bytes of framing around a record: 8 length, 4 CRC before; 4 CRC after.
inline constexpr int64_t kTfRecordHeader = 12;
inline constexpr int64_t kTfRecordOverhead = 16;
inline constexpr int64_t kTfRecordFooter = 4;

// The framing of one record around `data`.
std::string FrameTfRecord(absl::string_view data);

// Takes the record that starts at `*offset` of `file` and moves `*offset` past
// it. OutOfRange at the clean end of the file; DataLoss with `name` and the
// offset for a truncated record, a length beyond the file or a wrong CRC.
// `verify_data` false skips the CRC of the data (not that of the length).
absl::StatusOr<absl::string_view> ParseTfRecord(absl::string_view file,
                                                absl::string_view name,
                                                int64_t* offset,
                                                bool verify_data = true);

// Reads the records of one file in order, from a mapping.
class TfRecordReader {
 public:
  static absl::StatusOr<std::unique_ptr<TfRecordReader>> Open(
      const std::string& path);

  // The next record (valid while the reader lives), OutOfRange at the end,
  // DataLoss naming file and offset for a damaged one, or what happened to
  // a file that was changed meanwhile.
  absl::StatusOr<absl::string_view> Next();

  // Gives up the records returned so far, and the memory they were mapped to.
  void ReleaseRead() { file_->Release(offset_); }

  // Goes back to the first record.
  void Rewind() {
    offset_ = 0;
    digest_ = {};
  }

  // The whole file, framing included.
  absl::string_view bytes() const { return file_->bytes(); }
  int64_t offset() const { return offset_; }
  // Of the records returned so far.
  const RecordDigest& digest() const { return digest_; }
  const std::string& path() const { return file_->path(); }
  int64_t size() const { return static_cast<int64_t>(file_->bytes().size()); }

 private:
  explicit TfRecordReader(std::unique_ptr<MappedFile> file)
      : file_(std::move(file)), watch_(file_->path(), file_->bytes()) {}
  std::unique_ptr<MappedFile> file_;
  FileWatch watch_;
  int64_t offset_ = 0;
  RecordDigest digest_;
};

// Writes records to a file that appears under its name when committed.
class TfRecordWriter {
 public:
  static absl::StatusOr<std::unique_ptr<TfRecordWriter>> Create(
      const std::string& path);

  absl::Status Append(absl::string_view record);
  absl::Status Commit();
  int64_t num_records() const { return digest_.records; }
  const RecordDigest& digest() const { return digest_; }
  // To be committed with others.
  AtomicFile& file() { return *file_; }

 private:
  explicit TfRecordWriter(std::unique_ptr<AtomicFile> file)
      : file_(std::move(file)) {}
  std::unique_ptr<AtomicFile> file_;
  RecordDigest digest_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_TFRECORD_H_
