// SPDX-License-Identifier: Apache-2.0

// An input that is open: a regular file, or a stream.

#ifndef CONTINUO_RUNTIME_FILES_INPUT_FILE_H_
#define CONTINUO_RUNTIME_FILES_INPUT_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace continuo {

// "path: what: the system's reason" of errno.
absl::Status SystemError(absl::string_view what, absl::string_view path);

// Whether a path must be read to its end to know its size: "-" for standard
// input, a pipe, a device, a file that reports size 0 (as in /proc).
bool IsStream(const std::string& path);

// The path for messages: "-" is "standard input".
std::string StreamName(const std::string& path);

// An open descriptor, for MappedFile and ReadFile.
class InputFile {
 public:
  // InvalidArgument for a folder.
  static absl::StatusOr<InputFile> Open(const std::string& path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  int descriptor() const { return descriptor_; }
  int64_t size() const { return size_; }             // of a regular file
  const std::string& name() const { return name_; }  // for messages

 private:
  InputFile() = default;
  int descriptor_ = -1;
  bool owned_ = false;
  int64_t size_ = 0;
  std::string name_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_INPUT_FILE_H_
