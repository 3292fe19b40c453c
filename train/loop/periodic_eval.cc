// SPDX-License-Identifier: Apache-2.0

#include "train/loop/periodic_eval.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "data/records/micro_batches.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "train/loop/agreement.h"
#include "train/loop/resolve_model.h"

namespace continuo {

std::string BestDir(const std::string& run_dir) {
  return JoinPath(run_dir, "best");
}

absl::StatusOr<std::unique_ptr<PeriodicEval>> PeriodicEval::Open(
    const PeriodicEvalOptions& options, const EventEncoder& encoder,
    const ModelConfig& model, ThreadPool* pool) {
  std::unique_ptr<PeriodicEval> eval(new PeriodicEval(options, &encoder));
  CONTINUO_ASSIGN_OR_RETURN(
      eval->data_,
      OpenEvalData(options.sequence_example_file, options.num_examples,
                   ExampleFormatOf(model), pool));
  return eval;
}

int64_t PeriodicEval::MaxEvents(int rows) const {
  return data_.dataset->MaxEvents(
      static_cast<int>(std::min<int64_t>(rows, data_.num_examples)));
}

absl::Status PeriodicEval::Begin(const std::string& run_dir,
                                 const RunConfig& config, int64_t step,
                                 const ReporterOptions& reporting,
                                 Collective* collective) {
  collective_ = collective;
  // No larger than what is trained with at once.
  batch_size_ =
      MaxMicroBatchRows(config.model.hparams.batch_size, config.micro_batches);
  if (!IsWriter(collective)) {
    reporter_.emplace(Reporter::Silent());
    return absl::OkStatus();
  }
  const std::string eval_dir = EvalDir(run_dir);
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(eval_dir));
  CONTINUO_ASSIGN_OR_RETURN(Reporter reporter,
                            Reporter::Open(eval_dir, step, reporting));
  CONTINUO_RETURN_IF_ERROR(reporter.events().WriteStart(step + 1));
  reporter_.emplace(std::move(reporter));
  if (!options_.keep_best) return absl::OkStatus();
  const std::string best_dir = BestDir(run_dir);
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(best_dir));
  CONTINUO_RETURN_IF_ERROR(WriteRunConfig(best_dir, config));
  // A start that never comes: no hourly checkpoints stay here.
  CONTINUO_ASSIGN_OR_RETURN(
      CheckpointManager keeper,
      CheckpointManager::Open(best_dir, 1, absl::InfiniteDuration()));
  best_.emplace(std::move(keeper));
  return absl::OkStatus();
}

absl::StatusOr<PeriodicEval::Outcome> PeriodicEval::Evaluate(
    int64_t step, double limit, const StopFlag& stop, EventRnnTrainer* trainer,
    EvalHistory* history) {
  CONTINUO_ASSIGN_OR_RETURN(const EvalReport report,
                            EvaluateAt(step, data_, *encoder_, batch_size_, {},
                                       stop, trainer, collective_));
  CONTINUO_RETURN_IF_ERROR(reporter_->Write(report));
  // As it is stored, so that a resumed run compares the same numbers.
  const float loss = static_cast<float>(report.metrics.loss);
  // Written so that a loss that is no number is not the best either.
  if (report.metrics.loss <= limit &&
      (history->best_step == 0 || loss < history->best_loss)) {
    *history = {.best_step = step, .best_loss = loss, .evals_since_best = 0};
    return Outcome{report.metrics.loss, true};
  }
  ++history->evals_since_best;
  return Outcome{report.metrics.loss, false};
}

absl::Status PeriodicEval::SaveBest(int64_t step, const TensorMap& tensors) {
  CONTINUO_ASSIGN_OR_RETURN(const std::string prefix,
                            best_->Save(step, tensors, absl::ZeroDuration()));
  LogInfo("the best so far; saved ", prefix);
  return absl::OkStatus();
}

}  // namespace continuo
