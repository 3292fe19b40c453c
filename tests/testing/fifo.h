// SPDX-License-Identifier: Apache-2.0

// Named pipes with somebody at the other end.

#ifndef CONTINUO_TESTS_TESTING_FIFO_H_
#define CONTINUO_TESTS_TESTING_FIFO_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

#include "absl/strings/string_view.h"
#include "runtime/base/log.h"

namespace continuo::testing {

inline void MakeFifo(const std::string& path) {
  CONTINUO_CHECK(mkfifo(path.c_str(), 0600) == 0);
}

// Reads a pipe to its end in a thread. Begin before the writer. Closes a pipe
// that nobody has opened for writing when Bytes is called.
class FifoReader {
 public:
  explicit FifoReader(const std::string& path) : path_(path) {
    // Does not wait for a writer, and keeps the pipe open until Bytes.
    descriptor_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    writer_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    CONTINUO_CHECK(descriptor_ >= 0 && writer_ >= 0);
    fcntl(descriptor_, F_SETFL, 0);
    thread_ = std::thread([this] {
      char buffer[4096];
      for (;;) {
        const ssize_t count = read(descriptor_, buffer, sizeof(buffer));
        if (count <= 0) return;
        bytes_.append(buffer, static_cast<size_t>(count));
      }
    });
  }
  ~FifoReader() { Bytes(); }

  // What has been written, once all writers have closed.
  const std::string& Bytes() {
    if (thread_.joinable()) {
      close(writer_);
      thread_.join();
      close(descriptor_);
    }
    return bytes_;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  int writer_ = -1;
  std::string bytes_;
  std::thread thread_;
};

// Writes `bytes` to a pipe in a thread, once somebody reads it.
class FifoWriter {
 public:
  FifoWriter(const std::string& path, std::string bytes)
      : thread_([path, bytes = std::move(bytes)] {
          const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
          size_t done = 0;
          while (done < bytes.size()) {
            const ssize_t count =
                write(descriptor, bytes.data() + done, bytes.size() - done);
            if (count <= 0) break;
            done += static_cast<size_t>(count);
          }
          close(descriptor);
        }) {}
  ~FifoWriter() { thread_.join(); }

 private:
  std::thread thread_;
};

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_FIFO_H_
