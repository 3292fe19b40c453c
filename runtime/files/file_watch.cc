// SPDX-License-Identifier: Apache-2.0

#include "runtime/files/file_watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace continuo {

FileWatch::FileWatch(std::string path, absl::string_view bytes)
    : path_(std::move(path)), bytes_(bytes) {
  // Files in /proc report size 0: they were read like a stream.
  if (stat(path_.c_str(), &opened_) != 0 || !S_ISREG(opened_.st_mode) ||
      (opened_.st_size == 0 && !bytes.empty())) {
    opened_ = {};
  }
  if (!bytes.empty()) guard_.emplace(bytes.data(), bytes.size());
}

absl::Status FileWatch::Check() const {
  const bool watched = S_ISREG(opened_.st_mode);
  std::string change;
  struct stat now;
  const bool same_file = watched && stat(path_.c_str(), &now) == 0 &&
                         now.st_dev == opened_.st_dev &&
                         now.st_ino == opened_.st_ino;
  if (same_file && now.st_size != static_cast<off_t>(bytes_.size())) {
    change = absl::StrCat("it had ", bytes_.size(), " bytes and has ",
                          now.st_size, " now");
  } else if (same_file && (now.st_mtim.tv_sec != opened_.st_mtim.tv_sec ||
                           now.st_mtim.tv_nsec != opened_.st_mtim.tv_nsec)) {
    change = absl::StrCat(
        "it was written to at ",
        absl::FormatTime("%H:%M:%S", absl::TimeFromTimespec(now.st_mtim),
                         absl::LocalTimeZone()));
  } else if (guard_.has_value() && guard_->faulted()) {
    change = "a part of it cannot be read any more";
  }
  if (change.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path_, ": has changed while it was being read: ", change,
                   "; write new contents to another file, and rename it"));
}

}  // namespace continuo
