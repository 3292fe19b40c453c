// SPDX-License-Identifier: Apache-2.0

// The checkpoints of a run: their names, the `checkpoint` file, and which ones
// are kept.

#ifndef CONTINUO_TRAIN_CHECKPOINTS_CHECKPOINT_MANAGER_H_
#define CONTINUO_TRAIN_CHECKPOINTS_CHECKPOINT_MANAGER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "models/checkpoint/checkpoint.h"

namespace continuo {

// Writes "<dir>/model.ckpt-<step>" and keeps the newest `max_to_keep` (0 =
// all), and of those that fall out of this window one for each full hour since
// `start`, as Magenta does. Times are those of a monotonic clock. Only files in
// `dir` are ever removed.
class CheckpointManager {
 public:
  // Continues with the checkpoints that the folder's `checkpoint` file lists,
  // up to `restored` (a prefix; empty = all): those after it could not be read,
  // and must not push out good ones. Their files stay.
  static absl::StatusOr<CheckpointManager> Open(
      const std::string& dir, int max_to_keep, absl::Duration start,
      absl::string_view restored = "");

  // Writes a checkpoint and names it in the `checkpoint` file; only then old
  // ones are removed. Returns its prefix.
  absl::StatusOr<std::string> Save(int64_t step, const TensorMap& tensors,
                                   absl::Duration now);

 private:
  struct Kept {
    std::string prefix;  // as written to the `checkpoint` file
    absl::Duration saved;
  };

  CheckpointManager(std::string dir, int max_to_keep, absl::Duration start)
      : dir_(std::move(dir)),
        max_to_keep_(max_to_keep),
        next_hourly_(start + absl::Hours(1)) {}

  // A checkpoint's name as in the `checkpoint` file: relative to the folder
  // unless that was given as an absolute path.
  std::string Written(const std::string& name) const;

  std::string dir_;
  int max_to_keep_;
  absl::Duration next_hourly_;  // a checkpoint saved after this stays for ever
  std::vector<Kept> kept_;      // oldest first
};

}  // namespace continuo

#endif  // CONTINUO_TRAIN_CHECKPOINTS_CHECKPOINT_MANAGER_H_
