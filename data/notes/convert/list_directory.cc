// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/list_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;

using FolderId = std::pair<dev_t, ino_t>;

struct Lister {
  std::string root;
  bool recursive;
  std::vector<FolderId> ancestors;  // of the folder being listed, and itself
  std::vector<ListedFile> files;
};

absl::Status ListFolder(const std::string& folder, Lister* lister) {
  const std::string path = JoinPath(lister->root, folder);
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot list"));
  }
  const FolderId id = {info.st_dev, info.st_ino};
  if (std::find(lister->ancestors.begin(), lister->ancestors.end(), id) !=
      lister->ancestors.end()) {
    return absl::InvalidArgumentError("a link to a folder that contains it");
  }
  std::error_code error;
  std::vector<std::string> files;
  std::vector<std::string> folders;
  for (fs::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code unknown;
    const fs::file_status status = it->status(unknown);
    const std::string name = JoinPath(folder, it->path().filename().string());
    (fs::is_directory(status) ? folders : files).push_back(name);
  }
  if (error) {
    return absl::ErrnoToStatus(
        error.value(), absl::StrCat("a folder that cannot be listed: ", path));
  }
  std::sort(files.begin(), files.end());
  std::sort(folders.begin(), folders.end());
  for (std::string& name : files) {
    std::error_code unknown;
    const bool regular =
        fs::is_regular_file(JoinPath(lister->root, name), unknown);
    absl::Status status =
        regular ? absl::OkStatus()
                : absl::InvalidArgumentError(
                      "neither a file nor a folder (a dead link?)");
    lister->files.push_back({std::move(name), std::move(status)});
  }
  lister->ancestors.push_back(id);
  for (std::string& name : folders) {
    absl::Status status = lister->recursive
                              ? ListFolder(name, lister)
                              : absl::InvalidArgumentError(
                                    "a folder; `recursive` reads folders too");
    if (!status.ok()) {
      lister->files.push_back({std::move(name), std::move(status)});
    }
  }
  lister->ancestors.pop_back();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ListedFile>> ListDirectory(const std::string& dir,
                                                      bool recursive) {
  Lister lister = {dir, recursive, {}, {}};
  CONTINUO_RETURN_IF_ERROR(ListFolder("", &lister));
  return std::move(lister.files);
}

}  // namespace continuo
