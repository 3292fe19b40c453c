// SPDX-License-Identifier: Apache-2.0

#include "train/loop/saver.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "models/network/event_rnn.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/stop.h"
#include "train/logging/metrics.h"
#include "train/loop/agreement.h"
#include "train/loop/divergence.h"

namespace continuo {
namespace {

// The loss of the weights as they are on what they have just been trained with.
// That of the step itself was one of the weights before it.
absl::StatusOr<double> LossNow(const Job& job) {
  if (job.last_batch.num_events == 0) return 0;
  Findings mine;
  for (const PackedBatch& batch : job.last_batch.micro_batches) {
    LossSums part;
    if (batch.num_rows() > 0) {
      CONTINUO_RETURN_IF_ERROR(job.trainer->Evaluate(batch, {}, &part));
    }
    mine.AddPart(part);
  }
  CONTINUO_ASSIGN_OR_RETURN(const Findings all,
                            GatherFindings(job.options.collective, mine));
  const LossSums sums = all.ByTree();
  return sums.cross_entropy / static_cast<double>(sums.labels);
}

bool IsSound(const Job& job, double loss) {
  return std::isfinite(loss) && loss <= DivergedLoss(job);
}

}  // namespace

double DivergedLoss(const Job& job) {
  return DivergedLoss(job.dataset->UnigramEntropy(),
                      job.dataset->format().head_sizes);
}

absl::Status Diverged(const Job& job, double loss, const std::string& newest) {
  const Hparams& hparams = job.config.model.hparams;
  const int heads = job.dataset->format().heads();
  return absl::AbortedError(absl::StrFormat(
      "the training has diverged: by step %d the loss is %s (%s bits/event), "
      "far above that of a guess without context (%.3f bits/event). Nothing of "
      "it was saved; the last good checkpoint is %s. Start again from there "
      "with a smaller learning_rate (now %g) or clip_norm (now %g) in "
      "`hparams`",
      job.state.global_step, ShortNumber(loss, 4),
      ShortNumber(BitsPerEvent(loss, heads), 3),
      BitsPerEvent(job.dataset->UnigramEntropy(), heads), newest,
      hparams.learning_rate, hparams.clip_norm));
}

void Saver::IsSavedAs(const std::string& prefix) {
  saved_step_ = newest_step_ = job_->state.global_step;
  last_time_ = Now(*job_);
  prefix_ = prefix;
  TellStopMessage();
}

bool Saver::TimeIsDue(absl::Duration now) const {
  return now - last_time_ >= job_->options.save_interval;
}

bool Saver::StepIsDue() const {
  const int64_t steps = job_->options.save_steps;
  return steps > 0 && job_->state.global_step % steps == 0;
}

absl::Status Saver::SaveIfSound() {
  if (IsSaved()) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(const double loss, LossNow(*job_));
  if (IsSound(*job_, loss)) return Write(/*reports_matter=*/true);
  if (!warned_ && IsWriter(job_->options.collective)) {
    LogWarn("step ", job_->state.global_step, " is not saved: its loss is ",
            ShortNumber(loss, 4),
            ", far above that of a guess without context; the last good "
            "checkpoint is ",
            prefix_);
  }
  warned_ = true;
  return absl::OkStatus();
}

absl::Status Saver::Save() {
  if (IsSaved()) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(const double loss, LossNow(*job_));
  if (!IsSound(*job_, loss)) {
    failed_ = true;
    return Diverged(*job_, loss, prefix_);
  }
  return Write(/*reports_matter=*/true);
}

absl::Status Saver::SaveInSpiteOfReports() {
  if (IsSaved()) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(const double loss, LossNow(*job_));
  if (!IsSound(*job_, loss)) return Diverged(*job_, loss, prefix_);
  return Write(/*reports_matter=*/false);
}

absl::Status Saver::SyncReports() {
  CONTINUO_RETURN_IF_ERROR(reporter_->Sync());
  return job_->eval == nullptr ? absl::OkStatus() : job_->eval->Sync();
}

absl::StatusOr<std::string> Saver::WriteFile() {
  CONTINUO_ASSIGN_OR_RETURN(
      const TensorMap tensors,
      ExportState(*job_->rnn, *job_->trainer, job_->state));
  return keeper_->Save(job_->state.global_step, tensors, Now(*job_));
}

absl::Status Saver::Write(bool reports_matter) {
  // A run resumed from here never computes earlier reports again.
  const absl::Status synced = SyncReports();
  if (reports_matter) CONTINUO_RETURN_IF_ERROR(synced);
  failed_ = true;
  Collective* const collective = job_->options.collective;
  std::string prefix;
  if (IsWriter(collective)) {
    CONTINUO_ASSIGN_OR_RETURN(prefix, WriteFile());
  }
  CONTINUO_ASSIGN_OR_RETURN(prefix, FromWriter(collective, std::move(prefix)));
  failed_ = false;
  warned_ = false;
  IsSavedAs(prefix);
  if (IsWriter(collective)) LogInfo("saved ", prefix);
  const absl::Status told =
      reporter_->events().WriteCheckpoint(job_->state.global_step, prefix);
  return reports_matter ? told : absl::OkStatus();
}

void Saver::TellStopMessage() const {
  SetStopMessage(absl::StrCat(
      "stopping after this step (Ctrl-C again: at once; nothing since step ",
      newest_step_, " is saved then)"));
}

}  // namespace continuo
