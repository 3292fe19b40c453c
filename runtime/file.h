// Files: mapped reads, whole reads, write-then-rename, globs, paths.
//
// Every error names the path and the system's reason.

#ifndef CONTINUO_RUNTIME_FILE_H_
#define CONTINUO_RUNTIME_FILE_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace continuo {

// A whole file mapped read-only. The bytes stay valid while the object lives.
// A file cut short by another process while mapped makes later reads fault, so
// use it only for files that are replaced by rename, never truncated.
class MappedFile {
 public:
  static absl::StatusOr<std::unique_ptr<MappedFile>> Open(
      const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  absl::string_view bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

  // Hands the memory of the bytes before `end` back to the system, so that
  // reading a large file once does not fill the process with it. They can
  // still be read, at the price of fetching them again.
  void Release(int64_t end) const;

 private:
  MappedFile(std::string path, absl::string_view bytes)
      : path_(std::move(path)), bytes_(bytes) {}
  std::string path_;
  absl::string_view bytes_;
};

// Reads a whole file; ResourceExhausted if it is larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     int64_t max_bytes = int64_t{1} << 40);

// Whether a file must survive a crash of the machine, or, as one of thousands
// that can be made again, of the program only.
enum class Durability { kSynced, kUnsynced };

// A file that appears under its name only when complete: bytes go to
// "<path>.tmp.<pid>" beside it, Commit flushes, syncs and renames. Without
// Commit the destructor removes the temporary file.
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

 private:
  AtomicFile(std::string path, std::string temporary, std::FILE* file);
  std::string path_;
  std::string temporary_;
  std::FILE* file_;
  int64_t size_ = 0;
};

// Writes `bytes` to `path` through AtomicFile.
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view bytes,
                                 Durability durability = Durability::kSynced);

// Creates a directory and its parents; an existing directory is fine.
absl::Status MakeDirectories(const std::string& path);

// "~" and "~/x" with the home directory put in; other paths unchanged.
std::string ExpandHome(absl::string_view path);

// The existing paths that match a shell pattern (after ExpandHome), sorted.
// A path without special characters matches itself. NotFound if none does.
absl::StatusOr<std::vector<std::string>> Glob(absl::string_view pattern);

bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);

// "a/b" from parts; an absolute second part wins.
std::string JoinPath(absl::string_view a, absl::string_view b);
absl::string_view BaseName(absl::string_view path);  // after the last '/'
absl::string_view DirName(absl::string_view path);   // before it, or "."

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILE_H_
