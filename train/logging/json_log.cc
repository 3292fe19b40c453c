// SPDX-License-Identifier: Apache-2.0

#include "train/logging/json_log.h"

#include <errno.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/json.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "runtime/files/sync_file.h"

namespace continuo {
namespace {

// Whether a line is one of a step up to `last_step`. What a crash has left of a
// line, cut short or filled with zeros, is not.
bool Keep(absl::string_view line, int64_t last_step) {
  const Json json = ParseJson(line);
  if (!json.is_object()) return false;
  const auto step = json.find("step");
  return step != json.end() && step->is_number_integer() &&
         step->get<int64_t>() <= last_step;
}

absl::Status RemoveLaterLines(const std::string& path, int64_t last_step) {
  CONTINUO_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  std::string kept;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (Keep(line, last_step)) absl::StrAppend(&kept, line, "\n");
  }
  if (kept == text) return absl::OkStatus();
  return WriteFileAtomically(path, kept);
}

}  // namespace

absl::StatusOr<std::unique_ptr<JsonLog>> JsonLog::Open(const std::string& path,
                                                       int64_t last_step) {
  if (FileExists(path)) {
    CONTINUO_RETURN_IF_ERROR(RemoveLaterLines(path, last_step));
  }
  std::FILE* file = std::fopen(path.c_str(), "ab");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  }
  return std::unique_ptr<JsonLog>(new JsonLog(path, file));
}

absl::Status JsonLog::Sync() { return SyncFile(file_, path_); }

JsonLog::~JsonLog() { std::fclose(file_); }

absl::Status JsonLog::Write(int64_t step, const Scalars& values) {
  OrderedJson json;
  json["step"] = step;
  for (const auto& [name, value] : values) json[name] = value;
  const std::string line = absl::StrCat(JsonText(json), "\n");
  if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() ||
      std::fflush(file_) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot write"));
  }
  return absl::OkStatus();
}

}  // namespace continuo
