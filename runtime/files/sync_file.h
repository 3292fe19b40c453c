// SPDX-License-Identifier: Apache-2.0

// Files that grow line by line, made safe from a power cut.

#ifndef CONTINUO_RUNTIME_FILES_SYNC_FILE_H_
#define CONTINUO_RUNTIME_FILES_SYNC_FILE_H_

#include <cstdio>
#include <string>

#include "absl/status/status.h"

namespace continuo {

// Returns when what was written to the file, and its name in its folder, would
// outlast a power cut. Quiet where the file system has no such promise.
absl::Status SyncFile(std::FILE* file, const std::string& path);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_SYNC_FILE_H_
