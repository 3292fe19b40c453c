// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/file.h"

#include <errno.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"
#include "runtime/files/input_file.h"

namespace continuo {

absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     int64_t max_bytes) {
  if (IsStream(path)) {
    CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> stream,
                              MappedFile::Open(path, max_bytes));
    return std::string(stream->bytes());
  }
  CONTINUO_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
  const auto too_large = [&] {
    return absl::ResourceExhaustedError(
        absl::StrCat(file.name(), ": file is larger than the limit of ",
                     max_bytes, " bytes"));
  };
  // The size is no measure of the content: the file may be all holes.
  if (file.size() > max_bytes) return too_large();
  std::string bytes;
  bytes.reserve(static_cast<size_t>(file.size()));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = read(file.descriptor(), buffer, sizeof(buffer));
    if (count < 0) {
      if (errno == EINTR) continue;
      return SystemError("cannot read", file.name());
    }
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(count));
    if (static_cast<int64_t>(bytes.size()) > max_bytes) return too_large();
  }
}

absl::Status MakeDirectories(const std::string& path,
                             std::vector<std::string>* made) {
  if (path.empty() || IsDirectory(path)) return absl::OkStatus();
  const std::string name(absl::StripSuffix(path, "/"));
  if (name.size() < path.size()) return MakeDirectories(name, made);
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(std::string(DirName(path)), made));
  if (mkdir(path.c_str(), 0777) == 0) {
    if (made != nullptr) made->push_back(path);
    return absl::OkStatus();
  }
  if (errno == EEXIST && IsDirectory(path)) return absl::OkStatus();
  return SystemError("cannot create directory", path);
}

std::string ExpandHome(absl::string_view path) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || path.empty() || path[0] != '~' ||
      (path.size() > 1 && path[1] != '/')) {
    return std::string(path);
  }
  return absl::StrCat(home, path.substr(1));
}

absl::StatusOr<std::vector<std::string>> Glob(absl::string_view pattern) {
  const std::string expanded = ExpandHome(pattern);
  if (FileExists(expanded)) return std::vector<std::string>{expanded};
  glob_t found;
  std::vector<std::string> paths;
  const int code = glob(expanded.c_str(), 0, nullptr, &found);
  if (code == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      paths.emplace_back(found.gl_pathv[i]);
    }
  }
  globfree(&found);
  if (paths.empty()) {
    return absl::NotFoundError(
        absl::StrCat(pattern, ": no file matches this path or pattern"));
  }
  return paths;
}

bool FileExists(const std::string& path) {
  struct stat info;
  return path == kStandardStream || stat(path.c_str(), &info) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string JoinPath(absl::string_view a, absl::string_view b) {
  if (a.empty() || (!b.empty() && b[0] == '/')) return std::string(b);
  if (b.empty()) return std::string(a);
  return absl::StrCat(a, a.back() == '/' ? "" : "/", b);
}

absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

absl::string_view DirName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

}  // namespace continuo
