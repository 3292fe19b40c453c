// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/files/output_path.h"

namespace continuo {

absl::Status SystemError(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": ", what));
}

bool IsStream(const std::string& path) {
  if (path == kStandardStream) return true;
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return false;
  return !S_ISDIR(info.st_mode) &&
         (!S_ISREG(info.st_mode) || info.st_size == 0);
}

std::string StreamName(const std::string& path) {
  return path == kStandardStream ? "standard input" : path;
}

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  InputFile file;
  file.name_ = StreamName(path);
  if (path == kStandardStream) {
    file.descriptor_ = STDIN_FILENO;
  } else {
    file.descriptor_ = open(path.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (file.descriptor_ < 0) return SystemError("cannot open", path);
    file.owned_ = true;
  }
  struct stat info;
  if (fstat(file.descriptor_, &info) != 0) {
    return SystemError("cannot stat", file.name_);
  }
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.name_, ": is a directory, expected a file"));
  }
  file.size_ = static_cast<int64_t>(info.st_size);
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      owned_(std::exchange(other.owned_, false)),
      size_(other.size_),
      name_(std::move(other.name_)) {}

InputFile::~InputFile() {
  if (owned_) close(descriptor_);
}

}  // namespace continuo
