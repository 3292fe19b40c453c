// SPDX-License-Identifier: Apache-2.0

#include "data/records/tfrecord.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"

namespace continuo {
namespace {

constexpr int64_t kHeaderSize = 12;

uint64_t LoadLittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

void AppendLittleEndian(uint64_t value, int size, std::string* out) {
  for (int i = 0; i < size; ++i) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

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
  if (left < kHeaderSize) return Damaged(name, start, "truncated header");
  const absl::string_view header = file.substr(start, kHeaderSize);
  if (LoadLittleEndian(header.substr(8)) != MaskedCrc32c(header.substr(0, 8))) {
    return Damaged(name, start,
                   "wrong checksum of the length (not a TFRecord file?)");
  }
  const uint64_t length = LoadLittleEndian(header.substr(0, 8));
  if (left < kHeaderSize + kTfRecordFooter ||
      length > static_cast<uint64_t>(left - kHeaderSize - kTfRecordFooter)) {
    return Damaged(name, start, "truncated record");
  }
  const absl::string_view data = file.substr(start + kHeaderSize, length);
  const absl::string_view footer =
      file.substr(start + kHeaderSize + length, kTfRecordFooter);
  if (verify_data && LoadLittleEndian(footer) != MaskedCrc32c(data)) {
    return Damaged(name, start, "wrong checksum of the data");
  }
  *offset =
      start + kHeaderSize + static_cast<int64_t>(length) + kTfRecordFooter;
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

std::vector<std::string> ShardNames(absl::string_view path, int num_shards) {
  if (num_shards <= 1) return {std::string(path)};
  std::vector<std::string> names;
  for (int shard = 0; shard < num_shards; ++shard) {
    names.push_back(
        absl::StrFormat("%s-%05d-of-%05d", path, shard, num_shards));
  }
  return names;
}

}  // namespace continuo
