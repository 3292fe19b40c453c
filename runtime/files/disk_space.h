// SPDX-License-Identifier: Apache-2.0

// Free space on the file system of a path, and the lack of it.

#ifndef CONTINUO_RUNTIME_FILES_DISK_SPACE_H_
#define CONTINUO_RUNTIME_FILES_DISK_SPACE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace continuo {

// Bytes that this user may still write to the file system of `path`, which
// exists; nothing if the system does not know.
std::optional<int64_t> FreeDiskSpace(const std::string& path);

// The error of a failed write: "what: " and the text of `error`, an errno.
absl::Status WriteError(int error, absl::string_view what);

// Whether it failed because a disk, or the user's share of it, is full. Other
// things run out as well, such as descriptors and memory.
bool IsDiskFull(const absl::Status& status);

// "17.6 GB", "190 MB", "12 kB", "512 bytes": three digits, powers of 1000.
std::string BytesToText(double bytes);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_DISK_SPACE_H_
