// SPDX-License-Identifier: Apache-2.0

// The indexes of files of examples, kept beside them: "dir/.name.index" for
// "dir/name".

#ifndef CONTINUO_DATA_RECORDS_INDEX_CACHE_H_
#define CONTINUO_DATA_RECORDS_INDEX_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/records/file_index.h"
#include "data/records/sequence_example.h"

namespace continuo {

// What tells a state of a file from another one without reading it.
struct FileStamp {
  int64_t size = 0;
  int64_t mtime_ns = 0;  // since 1970
  bool operator==(const FileStamp&) const = default;
};

// Nothing for what is no regular file.
std::optional<FileStamp> StampOf(const std::string& path);

// What an index depends on beside the file: the format of the examples, and the
// version of the checks.
uint32_t FormatDigest(const ExampleFormat& format);

// An index with its key and a checksum, and back. DataLoss for damaged bytes,
// NotFound for the index of another state of the file or of another format.
std::string PackIndex(const FileIndex& index, const FileStamp& stamp,
                      const ExampleFormat& format);
absl::StatusOr<FileIndex> UnpackIndex(absl::string_view bytes,
                                      const FileStamp& stamp,
                                      const ExampleFormat& format);

std::string IndexPath(const std::string& path);

// The index that is kept for the file as it is now; the reason if there is
// none that holds.
absl::StatusOr<FileIndex> LoadIndex(const std::string& path,
                                    const FileStamp& stamp,
                                    const ExampleFormat& format);

// Keeps an index that was made when the file had this stamp. FailedPrecondition
// for a file that was written just before `scanned_at_ns` (since 1970): it
// could be written again without another time.
absl::Status SaveIndex(const std::string& path, const FileIndex& index,
                       const FileStamp& stamp, int64_t scanned_at_ns,
                       const ExampleFormat& format);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_INDEX_CACHE_H_
