// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/disk_space.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "absl/strings/cord.h"
#include "absl/strings/str_format.h"

namespace continuo {
namespace {

constexpr char kDiskFull[] = "continuo/disk_full";

}  // namespace

absl::Status WriteError(int error, absl::string_view what) {
  absl::Status status = absl::ErrnoToStatus(error, what);
  if (error == ENOSPC || error == EDQUOT) {
    status.SetPayload(kDiskFull, absl::Cord());
  }
  return status;
}

bool IsDiskFull(const absl::Status& status) {
  return status.GetPayload(kDiskFull).has_value();
}

std::optional<int64_t> FreeDiskSpace(const std::string& path) {
  struct statvfs info;
  if (statvfs(path.c_str(), &info) != 0 || info.f_frsize == 0) {
    return std::nullopt;
  }
  return static_cast<int64_t>(info.f_bavail) *
         static_cast<int64_t>(info.f_frsize);
}

std::string BytesToText(double bytes) {
  if (bytes < 999.5) return absl::StrFormat("%.0f bytes", bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    bytes /= 1000;
    if (bytes < 999.5) {
      const int decimals = bytes < 9.995 ? 2 : bytes < 99.95 ? 1 : 0;
      return absl::StrFormat("%.*f %s", decimals, bytes, unit);
    }
  }
  return absl::StrFormat("%.2f TB", bytes / 1000);
}

}  // namespace continuo
