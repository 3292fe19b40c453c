// SPDX-License-Identifier: Apache-2.0

#include "train/checkpoints/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"

namespace continuo {

absl::StatusOr<RunLock> RunLock::Acquire(const std::string& dir) {
  const std::string path = JoinPath(dir, ".lock");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot create"));
  }
  RunLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    return absl::FailedPreconditionError(
        absl::StrCat(dir,
                     ": another process is training this run; stop it or "
                     "use another `run_dir`"));
  }
  LogWarn(path,
          ": this file system has no locks; make sure that no other "
          "process trains this run");
  return lock;
}

RunLock::~RunLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace continuo
