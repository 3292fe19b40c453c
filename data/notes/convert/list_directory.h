// SPDX-License-Identifier: Apache-2.0

// The files of a directory tree in the converter's order.

#ifndef CONTINUO_DATA_NOTES_CONVERT_LIST_DIRECTORY_H_
#define CONTINUO_DATA_NOTES_CONVERT_LIST_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace continuo {

struct ListedFile {
  std::string name;  // relative to the directory, with "/"
  // OK for a regular file. Else why it is not read: a folder where subfolders
  // are not asked for, an unreadable folder, a pipe, a dead link.
  absl::Status status;
};

// Lists `dir`: names in byte order, the files of a folder before its
// subfolders, depth first. Links are followed, but not to a folder that
// contains them. An error only if `dir` itself cannot be listed.
absl::StatusOr<std::vector<ListedFile>> ListDirectory(const std::string& dir,
                                                      bool recursive);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_CONVERT_LIST_DIRECTORY_H_
