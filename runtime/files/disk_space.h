// Free space on the file system of a path.

#ifndef CONTINUO_RUNTIME_FILES_DISK_SPACE_H_
#define CONTINUO_RUNTIME_FILES_DISK_SPACE_H_

#include <cstdint>
#include <optional>
#include <string>

namespace continuo {

// Bytes that this user may still write to where `path` (which exists) lies;
// nothing if the system does not tell.
std::optional<int64_t> FreeDiskSpace(const std::string& path);

// "17.6 GB", "190 MB", "12 kB", "512 bytes": three digits, powers of 1000.
std::string BytesToText(double bytes);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_DISK_SPACE_H_
