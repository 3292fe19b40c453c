// SPDX-License-Identifier: Apache-2.0

// Saves the state of a training when it is due and has not diverged.

#ifndef CONTINUO_TRAIN_LOOP_SAVER_H_
#define CONTINUO_TRAIN_LOOP_SAVER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "train/checkpoints/checkpoint_manager.h"
#include "train/logging/report.h"
#include "train/loop/job.h"

namespace continuo {

// Saves a job's state at intervals, and never the same one twice. All ranks
// save at once: the first one writes, the others wait until it has. Weights
// that have diverged are not saved, so that the newest checkpoint is always a
// good one.
class Saver {
 public:
  // `keeper` is there on the rank that writes.
  Saver(std::optional<CheckpointManager> keeper, Job* job, Reporter* reporter)
      : keeper_(std::move(keeper)), job_(job), reporter_(reporter) {}

  // The state is that of the checkpoint `prefix` already.
  void IsSavedAs(const std::string& prefix);
  // The state has changed without a step.
  void HasChanged() { saved_step_ = -1; }

  bool Due(absl::Duration now) const { return TimeIsDue(now) || StepIsDue(); }
  bool TimeIsDue(absl::Duration now) const;
  bool StepIsDue() const;
  bool IsSaved() const { return saved_step_ == job_->state.global_step; }

  // Saves what is due; a diverged state is left out, with a warning.
  absl::Status SaveIfSound();
  // Saves; Aborted with advice if the state has diverged.
  absl::Status Save();
  // The same after a failure, ignoring errors of the reports; of one process.
  absl::Status SaveInSpiteOfReports();

  // The prefix of the newest checkpoint.
  const std::string& prefix() const { return prefix_; }
  // Whether the last failure was that of a save.
  bool failed() const { return failed_; }

 private:
  absl::Status Write(bool reports_matter);
  absl::StatusOr<std::string> WriteFile();
  absl::Status SyncReports();
  void TellStopMessage() const;

  std::optional<CheckpointManager> keeper_;
  Job* job_;
  Reporter* reporter_;
  absl::Duration last_time_ = -absl::InfiniteDuration();
  int64_t saved_step_ = -1;
  int64_t newest_step_ = 0;  // of prefix_
  std::string prefix_;
  bool warned_ = false;
  bool failed_ = false;
};

// Aborted with the advice for a job whose loss is `loss`.
absl::Status Diverged(const Job& job, double loss, const std::string& newest);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_SAVER_H_
