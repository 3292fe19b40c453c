// SPDX-License-Identifier: Apache-2.0

// Files that must not change while they are read.

#ifndef CONTINUO_RUNTIME_FILES_FILE_WATCH_H_
#define CONTINUO_RUNTIME_FILES_FILE_WATCH_H_

#include <sys/stat.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/files/mapping_guard.h"

namespace continuo {

// Watches a mapped file (runtime/files/mapped_file.h): if something overwrites
// or truncates it in place, or its disk fails, reading it does not end the
// program and Check tells. A file that is replaced by rename stays as it was
// for those who have it mapped, and so does a stream, which is in memory.
class FileWatch {
 public:
  // `bytes` are the mapped ones of the file at `path`; the mapping must outlive
  // the watch.
  FileWatch(std::string path, absl::string_view bytes);

  // DataLoss that names the file and what happened to it. Call it after
  // reading: if OK, what was read is right.
  absl::Status Check() const;

  // The `result` of reading, unless the file has changed meanwhile.
  template <typename T>
  absl::StatusOr<T> IfUnchanged(absl::StatusOr<T> result) const {
    absl::Status status = Check();
    if (!status.ok()) return status;
    return result;
  }

 private:
  std::string path_;
  absl::string_view bytes_;
  struct stat opened_ = {};
  std::optional<MappingGuard> guard_;  // of a regular file that is not empty
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_FILE_WATCH_H_
