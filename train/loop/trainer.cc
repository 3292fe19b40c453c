// SPDX-License-Identifier: Apache-2.0

#include "train/loop/trainer.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/records/dataset.h"
#include "models/network/event_rnn.h"
#include "runtime/base/log.h"
#include "runtime/base/log_rewriter.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "train/checkpoints/checkpoint_manager.h"
#include "train/checkpoints/run_lock.h"
#include "train/logging/metrics.h"
#include "train/logging/report.h"
#include "train/loop/agreement.h"
#include "train/loop/job.h"
#include "train/loop/saver.h"
#include "train/loop/train_loop.h"

namespace continuo {
namespace {

void LogSetup(const Job& job) {
  const Hparams& hparams = job.config.model.hparams;
  const Dataset& data = *job.dataset;
  const int heads = data.format().heads();
  LogInfo("configuration ",
          job.config.model.name.empty() ? "(melody_encoder_decoder)"
                                        : job.config.model.name,
          ", hyperparameters ", HparamsToString(hparams));
  if (hparams.use_cudnn) {
    LogWarn("use_cudnn=true has no effect; `device` picks where to compute");
  }
  LogInfo("seed ", *job.config.seed, ", device ",
          StreamName(job.rnn->stream()));
  const Collective* const collective = job.options.collective;
  if (!IsAlone(collective)) {
    LogInfo(collective->size(), " ranks share ", job.config.micro_batches,
            " micro-batches of each batch");
    if (collective->size() > job.config.micro_batches && IsWriter(collective)) {
      LogWarn(collective->size() - job.config.micro_batches,
              " ranks have no work: give `micro_batches`=", collective->size(),
              " or more");
    }
  }
  LogInfo("Train dir: ", job.dir);
  LogInfo(absl::StrFormat(
      "%d examples with %d events in %d file(s), longest %d events; unigram "
      "entropy of the labels %.4f nats (%.3f bits/event)",
      data.num_examples(), data.num_events(), data.num_files(),
      data.max_steps(), data.UnigramEntropy(),
      BitsPerEvent(data.UnigramEntropy(), heads)));
  int64_t total = 0;
  for (const MemoryPlanLine& line : job.trainer->memory_plan()) {
    LogInfo(absl::StrFormat("memory plan: %10.1f MiB  %s",
                            static_cast<double>(line.bytes) / (1 << 20),
                            line.what));
    total += line.bytes;
  }
  LogInfo(absl::StrFormat("memory plan: %10.1f MiB  in all",
                          static_cast<double>(total) / (1 << 20)));
}

absl::StatusOr<TrainResult> TrainAndSave(Job& job, Saver& saver,
                                         Reporter& reporter,
                                         const StopFlag& stop) {
  if (!job.restored_from.empty()) {
    saver.IsSavedAs(job.restored_from);
  } else {
    CONTINUO_RETURN_IF_ERROR(saver.Save());
  }
  return RunTrainLoop(job, saver, reporter, stop);
}

// The newest checkpoint that the folder's state file names; empty = none.
std::string NewestListed(const std::string& dir) {
  const auto prefixes = ListCheckpoints(dir);
  return prefixes.ok() ? (*prefixes)[0] : "";
}

// Opens the files of a run that is to be trained, and trains it.
absl::StatusOr<TrainResult> TrainAsWriter(Job& job, const StopFlag& stop) {
  const TrainOptions& options = job.options;
  const int64_t step = job.state.global_step;
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(job.dir));
  CONTINUO_ASSIGN_OR_RETURN(const RunLock lock, RunLock::Acquire(job.dir));
  if (NewestListed(job.dir) != job.latest) {
    return absl::AbortedError(
        absl::StrCat(job.dir,
                     ": another process has changed the run "
                     "meanwhile; start again"));
  }
  // Before the first checkpoint, so that whoever sees one finds it.
  CONTINUO_RETURN_IF_ERROR(WriteRunConfig(job.dir, job.config));
  const ReporterOptions reporting = {.clock = options.clock,
                                     .tf1_tags = options.tf1_tags};
  CONTINUO_ASSIGN_OR_RETURN(Reporter reporter,
                            Reporter::Open(job.dir, step, reporting));
  if (job.eval != nullptr) {
    CONTINUO_RETURN_IF_ERROR(
        // A pending evaluation may have been reported already.
        job.eval->Begin(options.run_dir, job.config,
                        job.state.eval_pending ? step - 1 : step, reporting,
                        options.collective));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      CheckpointManager keeper,
      CheckpointManager::Open(job.dir, options.num_checkpoints, Now(job),
                              job.restored_from));
  Saver saver(std::move(keeper), &job, &reporter);
  return TrainAndSave(job, saver, reporter, stop);
}

// The same without files of the run.
absl::StatusOr<TrainResult> TrainBeside(Job& job, const StopFlag& stop) {
  if (job.options.rank_logs) {
    CONTINUO_RETURN_IF_ERROR(MakeDirectories(job.dir));
    CONTINUO_RETURN_IF_ERROR(AppendLogTo(JoinPath(
        job.dir,
        absl::StrCat("rank-", job.options.collective->rank(), ".log"))));
    LogInfo("trains from step ", job.state.global_step + 1, ", with ",
            ShareOf(job).range().size(), " of ", job.config.micro_batches,
            " micro-batches");
  }
  Reporter reporter = Reporter::Silent();
  if (job.eval != nullptr) {
    CONTINUO_RETURN_IF_ERROR(job.eval->Begin(job.options.run_dir, job.config,
                                             job.state.global_step, {},
                                             job.options.collective));
  }
  Saver saver(std::nullopt, &job, &reporter);
  return TrainAndSave(job, saver, reporter, stop);
}

absl::StatusOr<TrainResult> TrainAsRank(const TrainOptions& options,
                                        const Stream& stream,
                                        const StopFlag& stop) {
  CONTINUO_ASSIGN_OR_RETURN(Job job, PrepareJob(options, stream));
  LogSetup(job);
  const int64_t step = job.state.global_step;
  if (!job.restored_from.empty()) LogInfo("resuming at step ", step + 1);
  const bool eval_pending = job.eval != nullptr && job.state.eval_pending;
  if (options.num_training_steps > 0 && step >= options.num_training_steps &&
      !eval_pending) {
    LogInfo("the run has reached step ", step,
            " already; nothing to do (raise `num_training_steps` to continue)");
    return TrainResult{TrainEnd::kSteps, step, job.restored_from};
  }
  if (GivenUp(job)) {
    LogInfo(BestText(job.state.history),
            "; nothing to do (raise `early_stopping_evals` to continue)");
    return TrainResult{TrainEnd::kNoImprovement, step, job.restored_from};
  }
  return IsWriter(options.collective) ? TrainAsWriter(job, stop)
                                      : TrainBeside(job, stop);
}

}  // namespace

absl::StatusOr<TrainResult> Train(const TrainOptions& options,
                                  const Stream& stream, const StopFlag& stop) {
  absl::StatusOr<TrainResult> result = TrainAsRank(options, stream, stop);
  if (!result.ok() && !IsAlone(options.collective)) {
    options.collective->Abort(result.status());
  }
  return result;
}

}  // namespace continuo
