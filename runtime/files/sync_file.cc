// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/sync_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// fsync of what cannot be synced (a pipe, some network file systems).
bool HasNoSync(int error) { return error == EINVAL || error == ENOTSUP; }

}  // namespace

absl::Status SyncFile(std::FILE* file, const std::string& path) {
  if (std::fflush(file) != 0 ||
      (fsync(fileno(file)) != 0 && !HasNoSync(errno))) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot write"));
  }
  const int dir = open(std::string(DirName(path)).c_str(),
                       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return absl::OkStatus();
  (void)fsync(dir);
  close(dir);
  return absl::OkStatus();
}

}  // namespace continuo
