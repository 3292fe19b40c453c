// SPDX-License-Identifier: Apache-2.0

#include "data/records/index_cache.h"

#include <sys/stat.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"
#include "runtime/files/little_endian.h"

namespace continuo {
namespace {

constexpr absl::string_view kMagic = "CXI1";

// Of what a scan checks and stores: a change makes all indexes be made anew.
constexpr int kScanVersion = 1;

// Times are stored in steps of up to two seconds (FAT), so what is written
// within one may leave no trace.
constexpr int64_t kTimeStepNs = int64_t{2'000'000'000};

constexpr size_t kKeyBytes = 4 + 8 + 8 + 4;  // magic, size, mtime, format
constexpr size_t kChecksumBytes = 4;

}  // namespace

std::optional<FileStamp> StampOf(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::nullopt;
  }
  return FileStamp{
      .size = info.st_size,
      .mtime_ns = absl::ToUnixNanos(absl::TimeFromTimespec(info.st_mtim))};
}

uint32_t FormatDigest(const ExampleFormat& format) {
  return Crc32c(absl::StrCat(
      kScanVersion, " ", format.input_size, " ",
      absl::StrJoin(format.head_sizes, ","), " ", format.index_inputs, " ",
      format.compact == nullptr ? "" : format.compact->encoding()));
}

std::string PackIndex(const FileIndex& index, const FileStamp& stamp,
                      const ExampleFormat& format) {
  std::string bytes(kMagic);
  AppendLittleEndian(static_cast<uint64_t>(stamp.size), 8, &bytes);
  AppendLittleEndian(static_cast<uint64_t>(stamp.mtime_ns), 8, &bytes);
  AppendLittleEndian(FormatDigest(format), 4, &bytes);
  bytes += index.Serialize();
  AppendLittleEndian(MaskedCrc32c(bytes), 4, &bytes);
  return bytes;
}

absl::StatusOr<FileIndex> UnpackIndex(absl::string_view bytes,
                                      const FileStamp& stamp,
                                      const ExampleFormat& format) {
  if (bytes.size() < kKeyBytes + kChecksumBytes ||
      bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::DataLossError("no index, or one of another version");
  }
  const absl::string_view content =
      bytes.substr(0, bytes.size() - kChecksumBytes);
  if (LoadLittleEndian(bytes.substr(content.size())) != MaskedCrc32c(content)) {
    return absl::DataLossError("a damaged index");
  }
  const FileStamp stored = {
      .size = static_cast<int64_t>(LoadLittleEndian(bytes.substr(4, 8))),
      .mtime_ns = static_cast<int64_t>(LoadLittleEndian(bytes.substr(12, 8)))};
  if (!(stored == stamp)) {
    return absl::NotFoundError("the file has changed since");
  }
  if (LoadLittleEndian(bytes.substr(20, 4)) != FormatDigest(format)) {
    return absl::NotFoundError("an index for another configuration");
  }
  return FileIndex::Parse(content.substr(kKeyBytes), stamp.size, format);
}

std::string IndexPath(const std::string& path) {
  return JoinPath(DirName(path), absl::StrCat(".", BaseName(path), ".index"));
}

absl::StatusOr<FileIndex> LoadIndex(const std::string& path,
                                    const FileStamp& stamp,
                                    const ExampleFormat& format) {
  const std::string index_path = IndexPath(path);
  struct stat info;
  if (lstat(index_path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::NotFoundError("no index is kept");
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file,
                            MappedFile::Open(index_path));
  const FileWatch watch(index_path, file->bytes());
  return watch.IfUnchanged(UnpackIndex(file->bytes(), stamp, format));
}

absl::Status SaveIndex(const std::string& path, const FileIndex& index,
                       const FileStamp& stamp, int64_t scanned_at_ns,
                       const ExampleFormat& format) {
  if (scanned_at_ns - stamp.mtime_ns < kTimeStepNs) {
    return absl::FailedPreconditionError(
        "the file was written a moment ago, and may be again");
  }
  // A link or a pipe is nothing that was made here, and is not to be followed.
  const std::string index_path = IndexPath(path);
  struct stat info;
  if (lstat(index_path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(index_path, " is no regular file"));
  }
  return WriteFileAtomically(index_path, PackIndex(index, stamp, format),
                             Durability::kUnsynced);
}

}  // namespace continuo
