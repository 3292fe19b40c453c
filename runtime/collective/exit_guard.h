// SPDX-License-Identifier: Apache-2.0

// A bound on calls of libraries that may wait forever.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_EXIT_GUARD_H_
#define CONTINUO_RUNTIME_COLLECTIVE_EXIT_GUARD_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "runtime/base/thread.h"

namespace continuo {

// Ends the process with status 1, after `message` in the log, unless it is
// destroyed within `timeout`.
class ExitGuard {
 public:
  ExitGuard(absl::Duration timeout, std::string message);
  ~ExitGuard();
  ExitGuard(const ExitGuard&) = delete;
  ExitGuard& operator=(const ExitGuard&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::optional<Thread> thread_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_EXIT_GUARD_H_
