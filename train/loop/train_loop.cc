// SPDX-License-Identifier: Apache-2.0

#include "train/loop/train_loop.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/records/batch_stream.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "train/logging/event_tags.h"
#include "train/logging/metrics.h"
#include "train/logging/run_events.h"
#include "train/loop/agreement.h"
#include "train/loop/divergence.h"

namespace continuo {
namespace {

// Counts what happened since the last report.
struct Window {
  absl::Duration begin;
  int64_t steps = 0;
  int64_t events = 0;
};

// The mean loss of the last steps, for the closing line: a single batch is
// noisy.
class RecentLoss {
 public:
  void Add(double loss) { losses_[count_++ % kSize] = loss; }
  double Mean() const {
    const int64_t n = std::min(count_, kSize);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += losses_[i];
    return n == 0 ? 0 : sum / static_cast<double>(n);
  }
  int64_t size() const { return std::min(count_, kSize); }

 private:
  static constexpr int64_t kSize = 20;
  double losses_[kSize] = {};
  int64_t count_ = 0;
};

class TrainLoop {
 public:
  TrainLoop(Job& job, Saver& saver, Reporter& reporter, const StopFlag& stop)
      : job_(job),
        saver_(saver),
        reporter_(reporter),
        stop_(stop),
        limit_(DivergedLoss(job)),
        first_step_(job.state.global_step),
        batches_(job.dataset.get(), job.config.model.hparams.batch_size,
                 *job.config.seed, job.state.position,
                 StreamOfPart(ShareOf(job).range())),
        begin_(Now(job)),
        window_{.begin = begin_} {}

  absl::StatusOr<TrainResult> Run() {
    absl::StatusOr<TrainEnd> end = Steps();
    if (!end.ok()) return Failed(end.status());
    CONTINUO_RETURN_IF_ERROR(saver_.Save());
    if (*end == TrainEnd::kSteps || *end == TrainEnd::kNoImprovement) {
      CONTINUO_RETURN_IF_ERROR(
          WriteSessionEnd(job_.options.clock, &reporter_.events()));
    }
    LogEnd(*end);
    return TrainResult{*end, job_.state.global_step, saver_.prefix()};
  }

 private:
  absl::StatusOr<TrainEnd> Steps() {
    CONTINUO_RETURN_IF_ERROR(
        reporter_.events().WriteStart(job_.state.global_step + 1));
    CONTINUO_RETURN_IF_ERROR(WriteFacts());
    if (job_.eval != nullptr && job_.state.eval_pending) {
      CONTINUO_RETURN_IF_ERROR(Evaluate());
      if (!job_.state.eval_pending) saver_.HasChanged();
    }
    if (!IsAlone(ranks())) {
      Findings mine;
      mine.signals = Look();
      CONTINUO_ASSIGN_OR_RETURN(const Findings all,
                                GatherFindings(ranks(), mine));
      agreed_.stop = agreed_.stop || all.signals.stop;
      agreed_.time_is_up = all.signals.time_is_up;
    }
    for (;;) {
      if (const auto end = End()) return *end;
      CONTINUO_RETURN_IF_ERROR(Step());
      CONTINUO_RETURN_IF_ERROR(AfterStep());
    }
  }

  Collective* ranks() const { return job_.options.collective; }

  // What this rank sees.
  Signals Look() const {
    const absl::Duration now = Now(job_);
    return {.stop = stop_.load(),
            .time_is_up = now - begin_ >= job_.options.max_time,
            .save_is_due = saver_.TimeIsDue(now)};
  }
  // What all have agreed on.
  bool Stopped() const {
    return IsAlone(ranks()) ? stop_.load() : agreed_.stop;
  }
  bool TimeIsUp() const {
    return IsAlone(ranks()) ? Now(job_) - begin_ >= job_.options.max_time
                            : agreed_.time_is_up;
  }
  bool SaveIsDue(absl::Duration now) const {
    return IsAlone(ranks()) ? saver_.Due(now)
                            : agreed_.save_is_due || saver_.StepIsDue();
  }

  std::optional<TrainEnd> End() const {
    const TrainOptions& options = job_.options;
    if (Stopped() && job_.state.eval_pending) return TrainEnd::kStopped;
    if (options.num_training_steps > 0 &&
        job_.state.global_step >= options.num_training_steps) {
      return TrainEnd::kSteps;
    }
    if (GivenUp(job_)) return TrainEnd::kNoImprovement;
    if (Stopped()) return TrainEnd::kStopped;
    if (TimeIsUp()) return TrainEnd::kTime;
    return std::nullopt;
  }

  // One update. The state moves past the batch.
  absl::Status Step() {
    const Hparams& hparams = job_.config.model.hparams;
    const int64_t step = job_.state.global_step;
    report_ = StepReport();
    report_.queue_fill = batches_.fill();
    CONTINUO_ASSIGN_OR_RETURN(job_.last_batch, ReadPart(&batches_));
    state_is_whole_ = false;
    CONTINUO_ASSIGN_OR_RETURN(const Findings findings, Update());
    const LossSums sums = findings.ByTree();
    const bool finite_loss = std::isfinite(sums.cross_entropy);
    if (!finite_loss || !std::isfinite(report_.gradient_norm)) {
      return absl::AbortedError(absl::StrCat(
          finite_loss ? "the gradient" : "the loss", " of step ", step + 1,
          " is not finite; nothing of it was saved. Start again from the last "
          "checkpoint with a smaller learning_rate (now ",
          hparams.learning_rate, ") or clip_norm (now ", hparams.clip_norm,
          ") in `hparams`"));
    }
    const int heads = job_.dataset->format().heads();
    report_.metrics =
        ComputeMetrics(sums, findings.time_steps, EmptyAccuracy::kNan);
    ++window_.steps;
    window_.events += sums.labels / heads;
    recent_.Add(report_.metrics.loss);
    job_.state.global_step = step + 1;
    job_.state.position = batches_.position();
    job_.state.eval_pending = job_.eval != nullptr && job_.eval->Due(step + 1);
    job_.state.divergence =
        AddEvidence(job_.state.divergence, report_.metrics.loss, limit_);
    state_is_whole_ = true;
    return absl::OkStatus();
  }

  // The update of last_batch, and what all ranks have found in it. Where the
  // loss is not finite there may be none.
  absl::StatusOr<Findings> Update() {
    const Hparams& hparams = job_.config.model.hparams;
    const int64_t step = job_.state.global_step;
    const DropoutSpec dropout = {.keep_prob = hparams.dropout_keep_prob,
                                 .seed = *job_.config.seed,
                                 .step = static_cast<uint64_t>(step)};
    const AdamSpec adam = {.learning_rate = hparams.learning_rate,
                           .params = {.clip_norm = hparams.clip_norm},
                           .step = step + 1};
    EventRnnTrainer& trainer = *job_.trainer;
    Findings mine;
    mine.time_steps = TimeSteps();
    if (IsAlone(ranks()) && job_.config.micro_batches == 1) {
      LossSums sums;
      CONTINUO_RETURN_IF_ERROR(
          trainer.TrainStep(job_.last_batch.micro_batches[0], dropout, adam,
                            &sums, &report_.gradient_norm));
      mine.AddPart(sums);
      return mine;
    }
    std::vector<LossSums> parts;
    CONTINUO_RETURN_IF_ERROR(
        trainer.ComputePart(job_.last_batch, dropout, &parts));
    for (LossSums& part : parts) {
      part.class_labels.clear();  // that no report of a step has
      part.class_correct.clear();
      mine.AddPart(part);
    }
    if (!IsAlone(ranks())) mine.signals = Look();
    CONTINUO_ASSIGN_OR_RETURN(const Findings all,
                              GatherFindings(ranks(), mine));
    agreed_ = all.signals;
    if (!std::isfinite(all.ByTree().cross_entropy)) return all;
    CONTINUO_RETURN_IF_ERROR(trainer.Reduce());
    CONTINUO_RETURN_IF_ERROR(
        trainer.ApplyGradients(adam, &report_.gradient_norm));
    return all;
  }

  // Of the music in this rank's part of last_batch.
  int64_t TimeSteps() const {
    int64_t time_steps = 0;
    for (const PackedBatch& batch : job_.last_batch.micro_batches) {
      time_steps += BatchTimeSteps(batch, *job_.encoder);
    }
    return time_steps;
  }

  // Reports, evaluates, shows and saves what is due.
  absl::Status AfterStep() {
    const TrainOptions& options = job_.options;
    const int64_t step = job_.state.global_step;
    const absl::Duration now = Now(job_);
    // The first step, then every summary_frequency-th.
    if ((step - first_step_ - 1) % options.summary_frequency == 0) {
      CONTINUO_RETURN_IF_ERROR(Report(now));
    }
    if (HasDiverged(job_.state.divergence, step)) {
      state_is_whole_ = false;
      return Diverged(job_, recent_.Mean(), saver_.prefix());
    }
    if (job_.state.eval_pending) CONTINUO_RETURN_IF_ERROR(Evaluate());
    if (options.sample_every_steps > 0 &&
        step % options.sample_every_steps == 0 && !Stopped() &&
        IsWriter(ranks())) {
      CONTINUO_RETURN_IF_ERROR(Sample());
    }
    window_.begin += Now(job_) - now;  // events/s are those of training
    // After the evaluation, whose outcome it holds.
    return SaveIsDue(now) ? saver_.SaveIfSound() : absl::OkStatus();
  }

  absl::Status Report(absl::Duration now) {
    const int heads = job_.dataset->format().heads();
    const int64_t done = job_.state.global_step - first_step_;
    const double seconds = absl::ToDoubleSeconds(now - window_.begin);
    report_.step = job_.state.global_step;
    report_.heads = heads;
    report_.unigram_nats = job_.dataset->UnigramEntropy();
    report_.learning_rate = job_.config.model.hparams.learning_rate;
    report_.events_per_second = static_cast<double>(window_.events) / seconds;
    report_.steps_per_second =
        done == 1 ? 0 : static_cast<double>(window_.steps) / seconds;
    report_.epoch = job_.state.position.epoch;
    report_.elapsed_seconds = absl::ToDoubleSeconds(now - begin_);
    report_.time_left = TimeLeft(now - begin_, done);
    CONTINUO_RETURN_IF_ERROR(reporter_.Write(report_));
    window_ = {.begin = Now(job_)};
    return absl::OkStatus();
  }

  absl::Duration TimeLeft(absl::Duration elapsed, int64_t steps_done) const {
    absl::Duration left = job_.options.max_time - elapsed;
    if (job_.options.num_training_steps > 0) {
      left = std::min(left,
                      elapsed / static_cast<double>(steps_done) *
                          static_cast<double>(job_.options.num_training_steps -
                                              job_.state.global_step));
    }
    return std::max(left, absl::ZeroDuration());
  }

  // Evaluates the weights as they are, and keeps them if they are the best. An
  // evaluation that is interrupted, or never begins, stays pending: it is the
  // first thing that the run does when it is resumed.
  absl::Status Evaluate() {
    const int64_t step = job_.state.global_step;
    EvalHistory history = job_.state.history;
    const auto outcome =
        job_.eval->Evaluate(step, limit_, stop_, job_.trainer.get(), &history);
    if (absl::IsCancelled(outcome.status())) {
      agreed_.stop = true;
      LogInfo("the evaluation at step ", step,
              " was interrupted; it is repeated when the run is resumed");
      return absl::OkStatus();
    }
    CONTINUO_RETURN_IF_ERROR(outcome.status());
    const int heads = job_.dataset->format().heads();
    Scalars scalars = {{kEvalBitsTag, BitsPerEvent(outcome->loss, heads)}};
    if (history.best_step > 0) {
      scalars.push_back(
          {kBestEvalBitsTag, BitsPerEvent(history.best_loss, heads)});
    }
    CONTINUO_RETURN_IF_ERROR(reporter_.events().WriteScalars(step, scalars));
    if (outcome->is_best && job_.eval->keep_best() && IsWriter(ranks())) {
      // As it is once the evaluation is done.
      TrainState state = job_.state;
      state.history = history;
      state.eval_pending = false;
      CONTINUO_ASSIGN_OR_RETURN(const TensorMap tensors,
                                ExportState(*job_.rnn, *job_.trainer, state));
      CONTINUO_RETURN_IF_ERROR(job_.eval->SaveBest(step, tensors));
    }
    job_.state.history = history;
    job_.state.eval_pending = false;
    return absl::OkStatus();
  }

  // Shows what the network writes by now. A training is worth more than its
  // pictures: it continues without one that cannot be drawn.
  absl::Status Sample() {
    const absl::StatusOr<std::vector<SummaryImage>> images =
        job_.options.sample(*job_.rnn, job_.config.model, *job_.config.seed,
                            stop_);
    if (stop_.load()) return absl::OkStatus();  // they may be unfinished
    if (!images.ok()) {
      LogWarn("no samples at step ", job_.state.global_step, ": ",
              images.status().message());
      return absl::OkStatus();
    }
    for (size_t i = 0; i < images->size(); ++i) {
      CONTINUO_RETURN_IF_ERROR(reporter_.events().WriteImage(
          job_.state.global_step, absl::StrCat(kSampleTagPrefix, i + 1),
          (*images)[i]));
    }
    return absl::OkStatus();
  }

  // What TensorBoard shows besides curves.
  absl::Status WriteFacts() {
    const TrainOptions& options = job_.options;
    SessionFacts facts = {.config = job_.config,
                          .device = StreamName(job_.rnn->stream()),
                          .command_line = options.command_line,
                          .data = {{"training", options.sequence_example_file,
                                    job_.dataset.get()}}};
    if (job_.eval != nullptr) {
      facts.data.push_back({"evaluation", options.eval.sequence_example_file,
                            &job_.eval->dataset()});
    }
    CONTINUO_RETURN_IF_ERROR(
        WriteTexts(job_.state.global_step, facts, &reporter_.events()));
    return WriteHparams(job_.config, options.clock, &reporter_.events());
  }

  // Saves the work before the error is returned.
  absl::Status Failed(const absl::Status& status) {
    if (!IsAlone(ranks())) {
      return Annotate(status, absl::StrCat("rank ", ranks()->rank(), " of ",
                                           ranks()->size(), ", after step ",
                                           job_.state.global_step));
    }
    if (!state_is_whole_ || saver_.failed()) return status;
    const absl::Status saved = saver_.SaveInSpiteOfReports();
    return absl::Status(
        status.code(),
        absl::StrCat(status.message(),
                     saved.ok() ? absl::StrCat("; the state after step ",
                                               job_.state.global_step,
                                               " is saved in ", saver_.prefix())
                                : absl::StrCat("; nor can the state be saved: ",
                                               saved.message())));
  }

  std::string Reason(TrainEnd end) const {
    const TrainOptions& options = job_.options;
    switch (end) {
      case TrainEnd::kSteps:
        return "`num_training_steps` reached";
      case TrainEnd::kTime:
        return absl::StrCat("`max_training_seconds` reached",
                            options.num_training_steps > 0
                                ? absl::StrCat(" before `num_training_steps`=",
                                               options.num_training_steps)
                                : "");
      case TrainEnd::kNoImprovement:
        return BestText(job_.state.history);
      case TrainEnd::kStopped:
        break;
    }
    return "start it again to resume";
  }

  void LogEnd(TrainEnd end) const {
    std::string line = absl::StrFormat(
        "%s at step %d after %s (%s)",
        end == TrainEnd::kStopped ? "stopped" : "finished",
        job_.state.global_step, ClockTime(Now(job_) - begin_), Reason(end));
    if (recent_.size() > 0) {
      const int heads = job_.dataset->format().heads();
      absl::StrAppendFormat(
          &line,
          ": mean loss of the last %d steps %s (%s bits/event, unigram %.3f)",
          recent_.size(), ShortNumber(recent_.Mean(), 4),
          ShortNumber(BitsPerEvent(recent_.Mean(), heads), 3),
          BitsPerEvent(job_.dataset->UnigramEntropy(), heads));
    }
    LogInfo(line, "; checkpoint ", saver_.prefix());
  }

  Job& job_;
  Saver& saver_;
  Reporter& reporter_;
  const StopFlag& stop_;
  double limit_;  // DivergedLoss
  int64_t first_step_;
  BatchStream batches_;
  absl::Duration begin_;
  Window window_;
  RecentLoss recent_;
  StepReport report_;           // of the last step
  Signals agreed_;              // of several ranks, in the last step
  bool state_is_whole_ = true;  // and worth to be saved
};

}  // namespace

bool GivenUp(const Job& job) {
  return job.eval != nullptr && job.eval->GivenUp(job.state.history);
}

std::string BestText(const EvalHistory& history) {
  return absl::StrFormat(
      "the evaluation loss has not improved %d times; its lowest was %s at "
      "step %d",
      history.evals_since_best, ShortNumber(history.best_loss, 4),
      history.best_step);
}

absl::StatusOr<TrainResult> RunTrainLoop(Job& job, Saver& saver,
                                         Reporter& reporter,
                                         const StopFlag& stop) {
  return TrainLoop(job, saver, reporter, stop).Run();
}

}  // namespace continuo
