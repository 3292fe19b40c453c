// SPDX-License-Identifier: Apache-2.0

// Whole files in memory, without copying where they can be mapped.

#ifndef CONTINUO_RUNTIME_FILES_MAPPED_FILE_H_
#define CONTINUO_RUNTIME_FILES_MAPPED_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace continuo {

// A whole file, read-only. The bytes stay valid while the object lives.
//
// A regular file is mapped. If another process truncates it, later reads fault,
// so use it only for files that are replaced by rename. Anything else (a pipe,
// /dev/stdin, <(command), "-" for standard input) is read to its end into
// memory. As a stream can be read only once, its bytes are kept, and opening it
// again gives them again.
class MappedFile {
 public:
  static absl::StatusOr<std::unique_ptr<MappedFile>> Open(
      const std::string& path);

  // The same, with ResourceExhausted for a stream of more than
  // `max_stream_bytes`; Open allows as much as may be expected to fit, half of
  // the machine's memory.
  static absl::StatusOr<std::unique_ptr<MappedFile>> Open(
      const std::string& path, int64_t max_stream_bytes);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  absl::string_view bytes() const;
  const std::string& path() const { return path_; }

  // Hands the memory of the bytes before `end` back to the system, so that
  // reading a large file once does not fill the process with it. They can
  // still be read, at the price of fetching them again. Does nothing for a
  // stream, whose bytes could not be fetched.
  void Release(int64_t end) const;

  // Has the system fetch bytes that will be read soon, without waiting.
  void WillNeed(int64_t begin, int64_t size) const;

 private:
  class Memory;
  class Streams;
  MappedFile(std::string path, std::shared_ptr<const Memory> memory);
  static absl::StatusOr<std::shared_ptr<const Memory>> ReadStream(
      int descriptor, const std::string& path, int64_t max_bytes);

  std::string path_;
  std::shared_ptr<const Memory> memory_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_MAPPED_FILE_H_
