// SPDX-License-Identifier: Apache-2.0

#include "data/records/tfrecord.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/little_endian.h"

namespace continuo {
namespace {

absl::Status Damaged(absl::string_view name, int64_t offset,
                     absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(name, ": damaged TFRecord at byte ", offset, ": ", what));
}

std::string FrameHeader(absl::string_view data) {
  std::string header;
  AppendLittleEndian(data.size(), 8, &header);
  AppendLittleEndian(MaskedCrc32c(header), 4, &header);
  return header;
}

std::string FrameFooter(absl::string_view data) {
  std::string footer;
  AppendLittleEndian(MaskedCrc32c(data), 4, &footer);
  return footer;
}

}  // namespace

std::string FrameTfRecord(absl::string_view data) {
  return absl::StrCat(FrameHeader(data), data, FrameFooter(data));
}

absl::StatusOr<absl::string_view> ParseTfRecord(absl::string_view file,
                                                absl::string_view name,
                                                int64_t* offset,
                                                bool verify_data) {
  const int64_t start = *offset;
  const int64_t left = static_cast<int64_t>(file.size()) - start;
  if (left == 0) return absl::OutOfRangeError("end of file");
  if (left < kTfRecordHeader) return Damaged(name, start, "truncated header");
  const absl::string_view header = file.substr(start, kTfRecordHeader);
  if (LoadLittleEndian(header.substr(8)) != MaskedCrc32c(header.substr(0, 8))) {
    return Damaged(name, start,
                   "wrong checksum of the length (not a TFRecord file?)");
  }
  const uint64_t length = LoadLittleEndian(header.substr(0, 8));
  if (left < kTfRecordHeader + kTfRecordFooter ||
      length >
          static_cast<uint64_t>(left - kTfRecordHeader - kTfRecordFooter)) {
    return Damaged(name, start, "truncated record");
  }
  const absl::string_view data = file.substr(start + kTfRecordHeader, length);
  const absl::string_view footer =
      file.substr(start + kTfRecordHeader + length, kTfRecordFooter);
  if (verify_data && LoadLittleEndian(footer) != MaskedCrc32c(data)) {
    return Damaged(name, start, "wrong checksum of the data");
  }
  *offset =
      start + kTfRecordHeader + static_cast<int64_t>(length) + kTfRecordFooter;
  return data;
}

absl::StatusOr<std::unique_ptr<TfRecordReader>> TfRecordReader::Open(
    const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  return std::unique_ptr<TfRecordReader>(new TfRecordReader(std::move(file)));
}

absl::StatusOr<absl::string_view> TfRecordReader::Next() {
  const int64_t start = offset_;
  auto record = ParseTfRecord(file_->bytes(), file_->path(), &offset_);
  if (!record.ok()) {
    CONTINUO_RETURN_IF_ERROR(watch_.Check());
    return record;
  }
  digest_.Add(file_->bytes().substr(start, offset_ - start));
  return record;
}

absl::StatusOr<std::unique_ptr<TfRecordWriter>> TfRecordWriter::Create(
    const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file,
                            AtomicFile::Create(path));
  return std::unique_ptr<TfRecordWriter>(new TfRecordWriter(std::move(file)));
}

absl::Status TfRecordWriter::Append(absl::string_view record) {
  const std::string framed = FrameTfRecord(record);
  digest_.Add(framed);
  return file_->Append(framed);
}

absl::Status TfRecordWriter::Commit() { return file_->Commit(); }

}  // namespace continuo
