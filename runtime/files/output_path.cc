// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/output_path.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr int kMaxLinks = 40;  // as Linux

absl::Status SystemError(absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot write"));
}

absl::Status IsFolder(absl::string_view path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": is a folder; name a file in it"));
}

bool IsOnProc(const std::string& path) {
  struct statfs info;
  return statfs(path.c_str(), &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

bool SameFile(const std::string& a, const std::string& b) {
  struct stat info_a;
  struct stat info_b;
  return stat(a.c_str(), &info_a) == 0 && stat(b.c_str(), &info_b) == 0 &&
         info_a.st_dev == info_b.st_dev && info_a.st_ino == info_b.st_ino;
}

// Links in /proc lead to open files, which may have no name: their text is not
// a path.
OutputTarget OpenFile(const std::string& link) {
  OutputTarget target;
  if (absl::SimpleAtoi(BaseName(link), &target.descriptor) &&
      SameFile(std::string(DirName(link)), "/proc/self/fd")) {
    target.kind = OutputTarget::Kind::kDescriptor;
  } else {
    target.kind = OutputTarget::Kind::kThrough;
    target.path = link;
  }
  return target;
}

// What Linux does not follow either (fs.protected_symlinks): a link in a folder
// like /tmp that neither we nor the folder's owner have made.
bool IsPlanted(const std::string& link, const struct stat& info) {
  struct stat folder;
  return stat(std::string(DirName(link)).c_str(), &folder) == 0 &&
         (folder.st_mode & S_ISVTX) != 0 && (folder.st_mode & S_IWOTH) != 0 &&
         info.st_uid != geteuid() && info.st_uid != folder.st_uid;
}

absl::StatusOr<std::string> ReadLink(const std::string& path,
                                     absl::string_view given) {
  char text[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), text, sizeof(text));
  if (size < 0) return SystemError(given);
  return JoinPath(DirName(path),
                  absl::string_view(text, static_cast<size_t>(size)));
}

// Paths with the same identity are one place; "" is never the same.
std::string Identity(const std::string& path) {
  const absl::StatusOr<OutputTarget> target = ResolveOutput(path);
  if (!target.ok()) return "";  // the error comes when it is opened
  struct stat info;
  switch (target->kind) {
    case OutputTarget::Kind::kReplaced: {
      char* const folder =
          realpath(std::string(DirName(target->path)).c_str(), nullptr);
      std::string canonical =
          JoinPath(folder == nullptr ? DirName(target->path) : folder,
                   BaseName(target->path));
      std::free(folder);
      return canonical;
    }
    case OutputTarget::Kind::kThrough:
      if (stat(target->path.c_str(), &info) != 0) return "";
      if (S_ISCHR(info.st_mode)) return "";
      break;
    case OutputTarget::Kind::kDescriptor:
      if (fstat(target->descriptor, &info) != 0) return "";
      if (!S_ISREG(info.st_mode)) {
        return absl::StrCat("descriptor ", target->descriptor);
      }
      return ReadLink(absl::StrCat("/proc/self/fd/", target->descriptor), path)
          .value_or("");
  }
  return absl::StrCat("node ", info.st_dev, " ", info.st_ino);
}

}  // namespace

absl::StatusOr<OutputTarget> ResolveOutput(const std::string& path) {
  if (path == kStandardStream) {
    return OutputTarget{.kind = OutputTarget::Kind::kDescriptor,
                        .path = "",
                        .descriptor = STDOUT_FILENO};
  }
  if (path.empty()) {
    return absl::InvalidArgumentError("the path of an output file is empty");
  }
  std::string current = path;
  for (int links = 0; links < kMaxLinks; ++links) {
    if (absl::EndsWith(current, "/")) return IsFolder(path);
    struct stat info;
    if (lstat(current.c_str(), &info) != 0) {
      if (errno != ENOENT) return SystemError(path);
      return OutputTarget{.path = std::move(current)};
    }
    if (S_ISREG(info.st_mode)) return OutputTarget{.path = std::move(current)};
    if (S_ISDIR(info.st_mode)) return IsFolder(path);
    if (!S_ISLNK(info.st_mode)) {
      return OutputTarget{.kind = OutputTarget::Kind::kThrough,
                          .path = std::move(current)};
    }
    if (IsOnProc(std::string(DirName(current)))) return OpenFile(current);
    if (IsPlanted(current, info)) {
      return absl::PermissionDeniedError(absl::StrCat(
          path, ": ", current,
          " is a link that another user has put into a folder where everybody "
          "may write; remove it or give another path"));
    }
    CONTINUO_ASSIGN_OR_RETURN(current, ReadLink(current, path));
  }
  errno = ELOOP;
  return SystemError(path);
}

absl::Status CheckDistinctPaths(absl::Span<const FieldPath> outputs,
                                absl::Span<const FieldPath> inputs) {
  const auto name = [](const FieldPath& path) {
    return absl::StrCat("`", path.field, "`=", path.path);
  };
  std::map<std::string, const FieldPath*> places;
  std::set<std::pair<dev_t, ino_t>> replaced;
  for (const FieldPath& output : outputs) {
    if (output.path.empty()) continue;
    const std::string place = Identity(output.path);
    if (place.empty()) continue;
    const auto [other, is_new] = places.emplace(place, &output);
    struct stat info;
    if (stat(output.path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      replaced.insert({info.st_dev, info.st_ino});
    }
    if (is_new) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name(*other->second), " and ", name(output),
                     " are the same file; give each output its own"));
  }
  for (const FieldPath& input : inputs) {
    // Regular files only: streams are read and written side by side. There may
    // be many of them, and only the names of those that are hit are followed.
    if (replaced.empty()) break;
    struct stat info;
    if (stat(input.path.c_str(), &info) != 0 ||
        replaced.count({info.st_dev, info.st_ino}) == 0) {
      continue;
    }
    const auto output = places.find(Identity(input.path));
    if (output == places.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name(*output->second), " would be written over the input ",
                     name(input), "; give the output another name"));
  }
  return absl::OkStatus();
}

absl::Status CheckEnding(const FieldPath& output, absl::string_view format,
                         const std::vector<absl::string_view>& endings) {
  const std::string name = absl::AsciiStrToLower(output.path);
  for (const absl::string_view ending : endings) {
    if (absl::EndsWith(name, ending)) return absl::OkStatus();
  }
  const absl::StatusOr<OutputTarget> target = ResolveOutput(output.path);
  if (target.ok() && target->kind != OutputTarget::Kind::kReplaced) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("`", output.field, "`=", output.path, ": ", format,
                   " is written; give a name that ends in ",
                   absl::StrJoin(endings, " or ")));
}

}  // namespace continuo
