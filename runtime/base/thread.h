// SPDX-License-Identifier: Apache-2.0

// A thread whose creation may fail.

#ifndef CONTINUO_RUNTIME_BASE_THREAD_H_
#define CONTINUO_RUNTIME_BASE_THREAD_H_

#include <pthread.h>

#include <functional>
#include <utility>

#include "absl/status/statusor.h"

namespace continuo {

// In place of std::thread, whose constructor throws where the system has no
// more threads (ulimit -u, the limit of a container).
class Thread {
 public:
  // ResourceExhausted with the system's reason.
  static absl::StatusOr<Thread> Start(std::function<void()> body);

  Thread(Thread&& other) noexcept
      : handle_(other.handle_),
        joinable_(std::exchange(other.joinable_, false)) {}
  Thread& operator=(Thread&&) = delete;
  // Must have been joined.
  ~Thread();

  void Join();

 private:
  explicit Thread(pthread_t handle) : handle_(handle), joinable_(true) {}
  pthread_t handle_;
  bool joinable_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_THREAD_H_
