// SPDX-License-Identifier: Apache-2.0

// Files and paths: whole reads, folders, patterns; with AtomicFile for writing
// and MappedFile for reading.
//
// Every error names the path and the system's reason.

#ifndef CONTINUO_RUNTIME_FILES_FILE_H_
#define CONTINUO_RUNTIME_FILES_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/files/atomic_file.h"  // IWYU pragma: export
#include "runtime/files/mapped_file.h"  // IWYU pragma: export

namespace continuo {

// Reads a whole file; "-" is standard input, and anything but a regular file is
// read to its end. ResourceExhausted if it is larger than `max_bytes`, before
// any memory is taken for a regular file.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     int64_t max_bytes = int64_t{1} << 30);

// Creates a directory and its parents; an existing directory is fine. Those
// that were not there are added to `made`, outermost first.
absl::Status MakeDirectories(const std::string& path,
                             std::vector<std::string>* made = nullptr);

// "~" and "~/x" with the home directory put in; other paths unchanged.
std::string ExpandHome(absl::string_view path);

// The existing paths that match a shell pattern (after ExpandHome), sorted.
// A path that exists, of whatever kind, and "-" match themselves. NotFound if
// nothing does.
absl::StatusOr<std::vector<std::string>> Glob(absl::string_view pattern);

// Of whatever kind; "-" for a standard stream always exists.
bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);

// "a/b" from parts; an absolute second part wins.
std::string JoinPath(absl::string_view a, absl::string_view b);
absl::string_view BaseName(absl::string_view path);  // after the last '/'
absl::string_view DirName(absl::string_view path);   // before it, or "."

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_FILE_H_
