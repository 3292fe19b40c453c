// SPDX-License-Identifier: Apache-2.0

#include "train/loop/evaluator.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "data/events/encoder_table.h"
#include "data/records/shards.h"
#include "models/checkpoint/checkpoint.h"
#include "models/config/run_config.h"
#include "models/model_file/tf_variable_names.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/version.h"
#include "runtime/files/file.h"
#include "train/checkpoints/train_state.h"
#include "train/logging/report.h"
#include "train/logging/run_events.h"
#include "train/loop/agreement.h"

namespace continuo {
namespace {

// The network and its data, made when the first checkpoint has appeared.
struct Evaluation {
  ModelConfig model;
  std::optional<uint64_t> seed;  // nothing for a run of Magenta
  std::unique_ptr<EventEncoder> encoder;
  EvalData data;
  std::unique_ptr<EventRnn> rnn;
  std::unique_ptr<EventRnnTrainer> trainer;
  bool facts_written = false;  // what TensorBoard shows besides curves
};

absl::StatusOr<Evaluation> Prepare(const EvalOptions& options,
                                   const Stream& stream) {
  Evaluation eval;
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<RunConfig> stored,
                            StoredRunConfig(options.run_dir));
  CONTINUO_ASSIGN_OR_RETURN(
      eval.model,
      ResolveModel(options.family, options.model, stored, JobKind::kEvaluate));
  if (stored.has_value()) eval.seed = stored->seed;
  eval.encoder = MakeEventEncoder(eval.model.encoding);
  CONTINUO_ASSIGN_OR_RETURN(
      eval.data,
      OpenEvalData(options.sequence_example_file, options.num_eval_examples,
                   ExampleFormatOf(eval.model), stream.pool));
  CONTINUO_ASSIGN_OR_RETURN(
      eval.rnn,
      EventRnn::Create(MakeNetworkSpec(*eval.encoder, eval.model.hparams),
                       stream));
  const int rows = static_cast<int>(
      std::min<int64_t>(eval.model.hparams.batch_size, eval.data.num_examples));
  CONTINUO_ASSIGN_OR_RETURN(
      eval.trainer, EventRnnTrainer::Create(eval.rnn.get(), rows,
                                            eval.data.dataset->MaxEvents(rows),
                                            /*inference_only=*/true));
  return eval;
}

// Loads, evaluates and reports one checkpoint.
absl::Status EvaluateCheckpoint(const EvalOptions& options,
                                const std::string& prefix, const StopFlag& stop,
                                Evaluation& eval, Reporter& reporter) {
  LogInfo("evaluating ", prefix);
  absl::StatusOr<TensorMap> tensors = ReadRunCheckpoint(prefix);
  if (absl::IsDataLoss(tensors.status()) && options.once) {
    // The one before it, as all commands do.
    CONTINUO_ASSIGN_OR_RETURN(NamedCheckpoint newest,
                              ReadNewestCheckpoint(TrainDir(options.run_dir)));
    tensors = WithCurrentNames(std::move(newest.tensors), newest.prefix);
  }
  CONTINUO_RETURN_IF_ERROR(tensors.status());
  CONTINUO_ASSIGN_OR_RETURN(const int64_t step,
                            ImportWeights(*tensors, prefix, eval.rnn.get()));
  const double keep =
      options.dropout ? eval.model.hparams.dropout_keep_prob : 1.0;
  CONTINUO_ASSIGN_OR_RETURN(
      const EvalReport report,
      EvaluateAt(step, eval.data, *eval.encoder, eval.model.hparams.batch_size,
                 {.keep_prob = keep, .seed = eval.seed.value_or(0)}, stop,
                 eval.trainer.get()));
  if (!eval.facts_written) {
    CONTINUO_RETURN_IF_ERROR(
        WriteTexts(step,
                   {.config = {.model = eval.model,
                               .seed = eval.seed,
                               .version = ProgramVersion()},
                    .device = StreamName(eval.rnn->stream()),
                    .command_line = options.command_line,
                    .data = {{"evaluation", options.sequence_example_file,
                              eval.data.dataset.get()}}},
                   &reporter.events()));
    eval.facts_written = true;
  }
  CONTINUO_RETURN_IF_ERROR(reporter.Write(report));
  return reporter.Sync();
}

// Waits for checkpoints and says for what.
class CheckpointWait {
 public:
  CheckpointWait(const EvalOptions& options, const StopFlag& stop)
      : options_(options), stop_(stop), dir_(TrainDir(options.run_dir)) {
    Restart();
  }

  // The next wait begins, after the checkpoint `last` (empty = none yet).
  void Restart(std::string last = "") {
    last_ = std::move(last);
    begin_ = options_.clock.monotonic();
    next_line_ = begin_;
  }

  // The newest checkpoint if it is another one than the last.
  absl::StatusOr<std::optional<std::string>> Look() const {
    const auto latest = LatestCheckpoint(dir_);
    if (absl::IsNotFound(latest.status())) return std::nullopt;
    if (!latest.ok()) return latest.status();
    if (*latest == last_) return std::nullopt;
    return *latest;
  }

  bool TimedOut() const { return Waited() >= options_.timeout; }

  // Sleeps until the next look.
  void Sleep() {
    if (options_.clock.monotonic() >= next_line_) {
      LogInfo(Line());
      next_line_ += options_.reminder;
    }
    SleepUntil(options_.clock.monotonic() + options_.poll);
  }

  // Looks at `stop` often enough for Ctrl-C.
  void SleepUntil(absl::Duration deadline) const {
    while (!stop_.load()) {
      const absl::Duration left = deadline - options_.clock.monotonic();
      if (left <= absl::ZeroDuration()) return;
      absl::SleepFor(std::min(left, absl::Milliseconds(100)));
    }
  }

  // How it ended when no checkpoint has come in time.
  absl::Status Timeout() const {
    const std::string time = absl::FormatDuration(options_.timeout);
    if (!last_.empty()) {
      LogInfo("no new checkpoint in ", dir_, " for ", time, "; done");
      return absl::OkStatus();
    }
    return absl::DeadlineExceededError(absl::StrCat(
        "no checkpoint has appeared in ", dir_, Folder(), " within ", time,
        "; start the training, or correct `run_dir` (`eval_timeout_secs` is "
        "how long to wait)"));
  }

 private:
  absl::Duration Waited() const { return options_.clock.monotonic() - begin_; }

  // What is wrong with the folder, if anything.
  std::string Folder() const {
    const std::string& run = options_.run_dir;
    if (!FileExists(run)) return absl::StrCat(" (", run, " does not exist)");
    if (FileExists(JoinPath(run, "checkpoint"))) {
      return absl::StrCat(" (", run,
                          " holds checkpoints itself: is `run_dir` the folder "
                          "above it?)");
    }
    if (!FileExists(dir_)) return " (the folder does not exist yet)";
    return FileExists(JoinPath(dir_, "checkpoint"))
               ? " (its file \"checkpoint\" names one that is not there)"
               : "";
  }

  std::string Line() const {
    std::string line = absl::StrCat(
        "waiting for ",
        last_.empty() ? absl::StrCat("the first checkpoint in ", dir_, Folder())
                      : absl::StrCat("a checkpoint after ", last_));
    const absl::Duration waited = Waited();
    if (waited >= options_.reminder) {
      absl::StrAppend(
          &line, ", for ",
          absl::FormatDuration(absl::Trunc(waited, absl::Seconds(1))),
          " by now");
    }
    return absl::StrCat(line, "; ",
                        absl::FormatDuration(absl::Ceil(
                            options_.timeout - waited, absl::Seconds(1))),
                        " left until `eval_timeout_secs`");
  }

  const EvalOptions& options_;
  const StopFlag& stop_;
  std::string dir_;
  std::string last_;
  absl::Duration begin_;      // of this wait
  absl::Duration next_line_;  // when to say it again
};

}  // namespace

absl::StatusOr<EvalData> OpenEvalData(absl::string_view pattern,
                                      int64_t num_eval_examples,
                                      const ExampleFormat& format,
                                      ThreadPool* pool) {
  EvalData data;
  CONTINUO_ASSIGN_OR_RETURN(data.dataset, Dataset::Open(pattern, format, pool));
  data.num_examples = data.dataset->num_examples();
  if (num_eval_examples > data.num_examples) {
    LogWarn("`num_eval_examples`=", num_eval_examples,
            ", but the data set has ", data.num_examples,
            " examples; each is evaluated once");
  } else if (num_eval_examples > 0) {
    data.num_examples = num_eval_examples;
  }
  return data;
}

absl::StatusOr<EvalSums> EvaluateDataset(
    const Dataset& dataset, const EventEncoder& encoder, int64_t num_examples,
    int batch_size, DropoutSpec dropout, const StopFlag& stop,
    EventRnnTrainer* trainer, Collective* collective) {
  const int64_t batches = CeilDiv(num_examples, batch_size);
  const int rank = collective == nullptr ? 0 : collective->rank();
  const int ranks = collective == nullptr ? 1 : collective->size();
  const uint64_t first_step = dropout.step;
  Findings mine;
  std::vector<int64_t> indices;
  for (int64_t i = batches * rank / ranks; i < batches * (rank + 1) / ranks;
       ++i) {
    if (stop.load()) {
      mine.signals.stop = true;
      break;
    }
    const int64_t begin = i * batch_size;
    indices.resize(std::min<int64_t>(batch_size, num_examples - begin));
    std::iota(indices.begin(), indices.end(), begin);
    CONTINUO_ASSIGN_OR_RETURN(const PackedBatch batch,
                              dataset.ReadBatch(indices));
    LossSums sums;
    dropout.step = first_step + static_cast<uint64_t>(i);
    CONTINUO_RETURN_IF_ERROR(trainer->Evaluate(batch, dropout, &sums));
    mine.AddPart(sums);
    mine.time_steps += BatchTimeSteps(batch, encoder);
    mine.examples += batch.num_rows();
  }
  CONTINUO_ASSIGN_OR_RETURN(const Findings all,
                            GatherFindings(collective, mine));
  if (all.signals.stop) {
    return absl::CancelledError("the evaluation was stopped");
  }
  return EvalSums{.sums = all.InTurn(),
                  .time_steps = all.time_steps,
                  .examples = all.examples};
}

absl::StatusOr<EvalReport> EvaluateAt(int64_t step, const EvalData& data,
                                      const EventEncoder& encoder,
                                      int batch_size, DropoutSpec dropout,
                                      const StopFlag& stop,
                                      EventRnnTrainer* trainer,
                                      Collective* collective) {
  const absl::Duration begin = MonotonicTime();
  CONTINUO_ASSIGN_OR_RETURN(
      const EvalSums result,
      EvaluateDataset(*data.dataset, encoder, data.num_examples, batch_size,
                      dropout, stop, trainer, collective));
  const int heads = data.dataset->format().heads();
  return EvalReport{
      .step = step,
      .metrics =
          ComputeMetrics(result.sums, result.time_steps, EmptyAccuracy::kZero),
      .heads = heads,
      .unigram_nats = data.dataset->UnigramEntropy(),
      .examples = result.examples,
      .events = result.sums.labels / heads,
      .elapsed_seconds = absl::ToDoubleSeconds(MonotonicTime() - begin)};
}

absl::Status FollowCheckpoints(const EvalOptions& options, const Stream& stream,
                               const StopFlag& stop) {
  const std::string eval_dir = EvalDir(options.run_dir);
  // Before a wait whose end would only bring this error.
  CONTINUO_RETURN_IF_ERROR(ShardFiles(options.sequence_example_file).status());
  if (options.once) {
    CONTINUO_RETURN_IF_ERROR(
        LatestCheckpoint(TrainDir(options.run_dir)).status());
  }
  LogInfo("Eval dir: ", eval_dir);
  std::optional<Evaluation> eval;
  std::optional<Reporter> reporter;
  CheckpointWait wait(options, stop);
  while (!stop.load()) {
    CONTINUO_ASSIGN_OR_RETURN(const std::optional<std::string> prefix,
                              wait.Look());
    if (!prefix.has_value()) {
      if (wait.TimedOut()) return wait.Timeout();
      wait.Sleep();
      continue;
    }
    const absl::Duration begin = options.clock.monotonic();
    if (!eval.has_value()) {
      CONTINUO_ASSIGN_OR_RETURN(Evaluation prepared, Prepare(options, stream));
      LogInfo("hyperparameters ", HparamsToString(prepared.model.hparams));
      CONTINUO_RETURN_IF_ERROR(MakeDirectories(eval_dir));
      CONTINUO_ASSIGN_OR_RETURN(
          Reporter opened,
          Reporter::Open(eval_dir, std::numeric_limits<int64_t>::max(),
                         {.clock = options.clock}));
      eval.emplace(std::move(prepared));
      reporter.emplace(std::move(opened));
    }
    const absl::Status status =
        EvaluateCheckpoint(options, *prefix, stop, *eval, *reporter);
    if (absl::IsCancelled(status)) break;
    wait.Restart(*prefix);
    // A training that keeps few checkpoints may have replaced this one.
    if (!status.ok()) {
      const auto next = wait.Look();
      if (!next.ok() || !next->has_value()) return status;
      LogWarn(*prefix, " was replaced before it was read; taking the next: ",
              status.message());
    } else if (options.once) {
      return absl::OkStatus();
    }
    wait.SleepUntil(begin + options.interval);
  }
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace continuo
