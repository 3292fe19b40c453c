// SPDX-License-Identifier: Apache-2.0

#include "train/checkpoints/checkpoint_manager.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// Removes the files of a checkpoint: index first, so that no reader takes a
// half-removed one for whole.
void RemoveCheckpoint(const std::string& dir, absl::string_view name) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::remove(JoinPath(dir, absl::StrCat(name, ".index")), ignored);
  fs::remove(JoinPath(dir, absl::StrCat(name, ".meta")), ignored);
  const std::string data = absl::StrCat(name, ".data-");
  std::vector<fs::path> parts;
  // Its range-based form would throw.
  std::error_code error;
  for (fs::directory_iterator entry(dir, error), end; !error && entry != end;
       entry.increment(error)) {
    if (absl::StartsWith(entry->path().filename().string(), data)) {
      parts.push_back(entry->path());
    }
  }
  for (const fs::path& part : parts) fs::remove(part, ignored);
}

}  // namespace

absl::StatusOr<CheckpointManager> CheckpointManager::Open(
    const std::string& dir, int max_to_keep, absl::Duration start,
    absl::string_view restored) {
  CheckpointManager keeper(dir, max_to_keep, start);
  if (!FileExists(JoinPath(dir, "checkpoint"))) return keeper;
  CONTINUO_ASSIGN_OR_RETURN(const CheckpointState state,
                            ReadCheckpointState(dir));
  for (const std::string& prefix : state.all) {
    // A folder that was copied names its own checkpoints from now on.
    const std::string name(BaseName(prefix));
    const bool ours = FileExists(JoinPath(dir, absl::StrCat(name, ".index")));
    keeper.kept_.push_back({ours ? keeper.Written(name) : prefix, start});
    if (BaseName(prefix) == BaseName(restored)) break;
  }
  return keeper;
}

std::string CheckpointManager::Written(const std::string& name) const {
  return dir_[0] == '/' ? JoinPath(dir_, name) : name;
}

absl::StatusOr<std::string> CheckpointManager::Save(int64_t step,
                                                    const TensorMap& tensors,
                                                    absl::Duration now) {
  const std::string name = absl::StrCat("model.ckpt-", step);
  const std::string prefix = JoinPath(dir_, name);
  CONTINUO_RETURN_IF_ERROR(WriteCheckpointV2(prefix, tensors));

  const std::string written = Written(name);
  std::vector<Kept> kept;
  for (const Kept& old : kept_) {
    if (BaseName(old.prefix) != name) kept.push_back(old);
  }
  kept.push_back({written, now});
  std::vector<std::string> removed;
  while (max_to_keep_ > 0 && static_cast<int>(kept.size()) > max_to_keep_) {
    const Kept& oldest = kept.front();
    if (oldest.saved > next_hourly_) {
      next_hourly_ += absl::Hours(1);
    } else {
      removed.emplace_back(BaseName(oldest.prefix));
    }
    kept.erase(kept.begin());
  }
  CheckpointState state;
  state.latest = written;
  for (const Kept& entry : kept) state.all.push_back(entry.prefix);
  CONTINUO_RETURN_IF_ERROR(WriteCheckpointState(dir_, state));
  kept_ = std::move(kept);
  for (const std::string& old : removed) RemoveCheckpoint(dir_, old);
  return prefix;
}

}  // namespace continuo
