// SPDX-License-Identifier: Apache-2.0

// Writing files: the one rule for every file that a command writes.

#ifndef CONTINUO_RUNTIME_FILES_ATOMIC_FILE_H_
#define CONTINUO_RUNTIME_FILES_ATOMIC_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/base/temporary_files.h"
#include "runtime/files/output_path.h"

namespace continuo {

// Whether a file must survive a crash of the machine, or only of the program,
// as one of thousands that can be made again.
enum class Durability { kSynced, kUnsynced };

// An output. A regular file appears under its name, or replaces the one there,
// when it is complete: bytes go to a hidden file beside it, which Commit
// renames. A link is followed: what it leads to is written, and it stays a
// link. Anything but a regular file (a device, a named pipe, /dev/stdout, "-"
// for standard output) is written to directly.
//
// Folders on the way are made. The mode is that of the file replaced, else it
// follows the umask. Without Commit the destructor leaves nothing behind.
// Errors name the path as it was given. Standard output whose reader has gone
// ends the program quietly (EndByBrokenPipe).
class AtomicFile {
 public:
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(
      const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  absl::Status Append(absl::string_view bytes);
  absl::Status Commit(Durability durability = Durability::kSynced);
  int64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  // Whether it becomes a regular file, not a stream.
  bool is_regular() const {
    return target_.kind == OutputTarget::Kind::kReplaced;
  }

  // Commits files that belong together: all are complete and synced before the
  // first appears, and if one cannot appear then none has changed (except on
  // file systems that cannot exchange names). The first one is on disk before
  // any other, so that it can describe them.
  static absl::Status CommitTogether(absl::Span<AtomicFile* const> files);

 private:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {}
  absl::Status OpenTemporary();
  absl::Status Write(absl::string_view bytes);
  absl::Status Finish(Durability durability);  // all but the name
  absl::Status Publish();
  absl::Status PublishUndoably();
  void UndoPublish();
  absl::Status Error(absl::string_view what) const;
  void SyncFolder() const;

  const std::string path_;
  OutputTarget target_;
  int descriptor_ = -1;
  std::string buffer_;
  int64_t size_ = 0;
  std::unique_ptr<TemporaryName> temporary_;  // kReplaced, until it is renamed
  bool published_ = false;
  // kExchange: the temporary file holds the old bytes.
  enum class Undo { kNothing, kExchange, kRemove };
  Undo undo_ = Undo::kNothing;
  std::vector<std::string> made_folders_;
};

// Writes `bytes` to `path` through AtomicFile.
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view bytes,
                                 Durability durability = Durability::kSynced);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_ATOMIC_FILE_H_
