// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/exit_guard.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/temporary_files.h"

namespace continuo {

ExitGuard::ExitGuard(absl::Duration timeout, std::string message) {
  auto watch = [this, message = std::move(message),
                time = absl::ToChronoNanoseconds(
                    std::min(timeout, absl::Hours(24 * 365)))] {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, time, [&] { return done_; })) return;
    LogError(message);
    RemoveTemporaryFiles();
    _exit(1);
  };
  // Without a thread there is no guard, but the call may well return.
  auto thread = Thread::Start(std::move(watch));
  if (thread.ok()) thread_.emplace(*std::move(thread));
}

ExitGuard::~ExitGuard() {
  if (!thread_.has_value()) return;
  {
    const std::unique_lock lock(mutex_);
    done_ = true;
  }
  changed_.notify_all();
  thread_->Join();
}

}  // namespace continuo
