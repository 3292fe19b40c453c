// SPDX-License-Identifier: Apache-2.0

// One training per run folder at a time.

#ifndef CONTINUO_TRAIN_CHECKPOINTS_RUN_LOCK_H_
#define CONTINUO_TRAIN_CHECKPOINTS_RUN_LOCK_H_

#include <string>

#include "absl/status/statusor.h"

namespace continuo {

// Holds the lock of a folder until it is destroyed or the process ends,
// however it ends. Readers (evaluation, generation) need no lock.
class RunLock {
 public:
  // FailedPrecondition if another process holds it. Where the file system has
  // no locks, it warns and continues.
  static absl::StatusOr<RunLock> Acquire(const std::string& dir);

  RunLock(RunLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  ~RunLock();

 private:
  explicit RunLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace continuo

#endif  // CONTINUO_TRAIN_CHECKPOINTS_RUN_LOCK_H_
