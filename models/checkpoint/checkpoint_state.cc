// SPDX-License-Identifier: Apache-2.0

// The `checkpoint` file of a run: which checkpoints exist, oldest first.

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "models/checkpoint/checkpoint.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr absl::string_view kFileName = "checkpoint";
constexpr absl::string_view kLatest = "model_checkpoint_path";
constexpr absl::string_view kAll = "all_model_checkpoint_paths";
// Without this file training would start from scratch, so it must not be
// removed.
constexpr absl::string_view kRemedy =
    "; restore the file, or write this line into it, with the newest N of the "
    "folder: model_checkpoint_path: \"model.ckpt-N\"";

// The text inside the quotes of a text proto string.
bool Unquote(absl::string_view text, std::string* value) {
  if (text.size() < 2 || (text[0] != '"' && text[0] != '\'') ||
      text.back() != text[0]) {
    return false;
  }
  return absl::CUnescape(text.substr(1, text.size() - 2), value);
}

bool HasIndex(const std::string& prefix) {
  return FileExists(absl::StrCat(prefix, ".index"));
}

// Says once for each checkpoint that the state file names one of another
// folder, which holds something else.
void WarnIfOther(const std::string& beside, const std::string& written) {
  constexpr int64_t kMaxIndexBytes = int64_t{1} << 26;
  const auto ours = ReadFile(absl::StrCat(beside, ".index"), kMaxIndexBytes);
  const auto other = ReadFile(absl::StrCat(written, ".index"), kMaxIndexBytes);
  // An index has the checksums of all tensors.
  if (!ours.ok() || !other.ok() || *ours == *other) return;
  static std::mutex mutex;
  static auto& warned = *new std::set<std::string>();
  const std::lock_guard<std::mutex> lock(mutex);
  if (!warned.insert(beside).second) return;
  LogWarn(JoinPath(DirName(beside), kFileName), " names ", written,
          ", which differs from ", beside,
          "; taking the latter, as the folder seems to be a copy");
}

// The prefix that a path of the file stands for: the checkpoint of that name
// in this folder, which may have been moved or copied after absolute paths were
// written, or else the one at that path.
std::string Locate(const std::string& dir, const std::string& written) {
  const std::string beside = JoinPath(dir, BaseName(written));
  std::string prefix = JoinPath(dir, written);
  if (prefix == beside || !HasIndex(prefix)) return beside;
  if (!HasIndex(beside)) return prefix;
  WarnIfOther(beside, prefix);
  return beside;
}

// An error that says what is missing if the folder has no state file.
absl::Status CheckHasState(const std::string& dir) {
  if (FileExists(JoinPath(dir, kFileName))) return absl::OkStatus();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
    if (!absl::EndsWith(entry.path().filename().string(), ".index")) continue;
    return absl::NotFoundError(
        absl::StrCat(dir, ": holds checkpoints, but the file \"", kFileName,
                     "\" that names the newest is missing", kRemedy,
                     "; or name one of them with `checkpoint_file`"));
  }
  return absl::NotFoundError(absl::StrCat(
      dir, ": no checkpoint yet: the folder has no file \"", kFileName, "\""));
}

}  // namespace

absl::StatusOr<CheckpointState> ReadCheckpointState(const std::string& dir) {
  const std::string path = JoinPath(dir, kFileName);
  CONTINUO_ASSIGN_OR_RETURN(const std::string text,
                            ReadFile(path, /*max_bytes=*/1 << 24));
  CheckpointState state;
  int line_number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    const absl::string_view key = absl::StripAsciiWhitespace(field.first);
    if (key != kLatest && key != kAll) continue;  // time stamps and the like
    std::string value;
    if (!Unquote(absl::StripAsciiWhitespace(field.second), &value)) {
      return absl::DataLossError(absl::StrCat(
          path, ":", line_number, ": expected ", key, ": \"path\"", kRemedy));
    }
    if (key == kLatest) {
      state.latest = std::move(value);
    } else {
      state.all.push_back(std::move(value));
    }
  }
  if (state.latest.empty()) {
    return absl::DataLossError(
        absl::StrCat(path, ": has no ", kLatest, " line", kRemedy));
  }
  return state;
}

absl::Status WriteCheckpointState(const std::string& dir,
                                  const CheckpointState& state) {
  std::string text =
      absl::StrCat(kLatest, ": \"", absl::CEscape(state.latest), "\"\n");
  for (const std::string& path : state.all) {
    absl::StrAppend(&text, kAll, ": \"", absl::CEscape(path), "\"\n");
  }
  return WriteFileAtomically(JoinPath(dir, kFileName), text);
}

std::string CheckpointFolder(const std::string& path) {
  if (IsDirectory(path)) {
    const std::string train = JoinPath(path, "train");
    const bool is_run = !FileExists(JoinPath(path, kFileName)) &&
                        FileExists(JoinPath(train, kFileName));
    return is_run ? train : path;
  }
  if (BaseName(path) != kFileName || HasIndex(path)) return "";
  const std::string dir(DirName(path));
  return ReadCheckpointState(dir).ok() ? dir : "";
}

absl::StatusOr<std::string> LatestCheckpoint(const std::string& dir) {
  CONTINUO_RETURN_IF_ERROR(CheckHasState(dir));
  CONTINUO_ASSIGN_OR_RETURN(CheckpointState state, ReadCheckpointState(dir));
  for (;;) {
    const std::string prefix = Locate(dir, state.latest);
    if (HasIndex(prefix)) return prefix;
    // A training may have replaced the checkpoint since the file was read.
    CONTINUO_ASSIGN_OR_RETURN(CheckpointState again, ReadCheckpointState(dir));
    if (again.latest == state.latest) {
      return absl::NotFoundError(absl::StrCat(JoinPath(dir, kFileName),
                                              " names ", state.latest, ", but ",
                                              prefix, ".index does not exist"));
    }
    state = std::move(again);
  }
}

absl::StatusOr<std::vector<std::string>> ListCheckpoints(
    const std::string& dir) {
  CONTINUO_RETURN_IF_ERROR(CheckHasState(dir));
  CONTINUO_ASSIGN_OR_RETURN(const CheckpointState state,
                            ReadCheckpointState(dir));
  std::vector<std::string> prefixes = {Locate(dir, state.latest)};
  for (auto it = state.all.rbegin(); it != state.all.rend(); ++it) {
    std::string prefix = Locate(dir, *it);
    if (prefix != prefixes[0]) prefixes.push_back(std::move(prefix));
  }
  return prefixes;
}

absl::StatusOr<NamedCheckpoint> ReadNewestCheckpoint(const std::string& dir) {
  // During training a checkpoint may be removed between being found and
  // being read; then there is a newer one.
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> prefixes,
                              ListCheckpoints(dir));
    absl::Status newest;
    for (const std::string& prefix : prefixes) {
      absl::StatusOr<TensorMap> tensors = ReadCheckpoint(prefix);
      if (tensors.ok()) {
        if (!newest.ok()) {
          LogWarn("the newest checkpoint ", prefixes[0],
                  " cannot be used; using ", prefix);
        }
        return NamedCheckpoint{prefix, *std::move(tensors)};
      }
      const absl::Status& status = tensors.status();
      if (!absl::IsDataLoss(status) && !absl::IsNotFound(status)) return status;
      if (newest.ok() && i < kTries) {
        const auto again = ListCheckpoints(dir);
        if (again.ok() && (*again)[0] != prefixes[0]) break;
      }
      LogWarn(status.message());
      newest.Update(status);
    }
    if (newest.ok()) continue;  // replaced meanwhile
    return Annotate(newest, absl::StrCat("no checkpoint that ", dir, "/",
                                         kFileName, " names can be read"));
  }
}

}  // namespace continuo
