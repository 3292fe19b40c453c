#include "train/evaluator.h"

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
#include "models/checkpoint.h"
#include "models/run_config.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/status.h"
#include "train/report.h"
#include "train/train_state.h"

namespace continuo {
namespace {

// The network and its data, made when the first checkpoint has appeared.
struct Evaluation {
  ModelConfig model;
  uint64_t seed = 0;
  std::unique_ptr<EventEncoder> encoder;
  EvalData data;
  std::unique_ptr<EventRnn> rnn;
  std::unique_ptr<EventRnnTrainer> trainer;
};

absl::StatusOr<Evaluation> Prepare(const EvalOptions& options,
                                   const Stream& stream) {
  Evaluation eval;
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<RunConfig> stored,
                            StoredRunConfig(options.run_dir));
  CONTINUO_ASSIGN_OR_RETURN(
      eval.model,
      ResolveModel(options.family, options.model, stored, JobKind::kEvaluate));
  eval.seed = stored.has_value() ? stored->seed : 0;
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

// Loads and evaluates one checkpoint; returns its step.
absl::StatusOr<int64_t> EvaluateCheckpoint(const EvalOptions& options,
                                           const std::string& prefix,
                                           Evaluation& eval,
                                           Reporter& reporter) {
  LogInfo("evaluating ", prefix);
  CONTINUO_ASSIGN_OR_RETURN(const TensorMap tensors, ReadRunCheckpoint(prefix));
  CONTINUO_ASSIGN_OR_RETURN(const int64_t step,
                            ImportWeights(tensors, prefix, eval.rnn.get()));
  const double keep =
      options.dropout ? eval.model.hparams.dropout_keep_prob : 1.0;
  CONTINUO_ASSIGN_OR_RETURN(
      const EvalReport report,
      EvaluateAt(step, eval.data, *eval.encoder, eval.model.hparams.batch_size,
                 {.keep_prob = keep, .seed = eval.seed}, eval.trainer.get()));
  CONTINUO_RETURN_IF_ERROR(reporter.Write(report));
  return step;
}

// Sleeps until `deadline`, looking at `stop` often enough for Ctrl-C.
void SleepUntil(absl::Time deadline, const StopFlag& stop) {
  while (!stop.load() && absl::Now() < deadline) {
    absl::SleepFor(std::min(deadline - absl::Now(), absl::Milliseconds(100)));
  }
}

// The newest checkpoint if it is another one than `last`.
std::optional<std::string> NewCheckpoint(const std::string& dir,
                                         const std::string& last) {
  const auto latest = LatestCheckpoint(dir);
  if (!latest.ok() || *latest == last) return std::nullopt;
  return *latest;
}

}  // namespace

absl::StatusOr<EvalData> OpenEvalData(absl::string_view pattern,
                                      int64_t num_eval_examples,
                                      const ExampleFormat& format,
                                      ThreadPool* pool) {
  EvalData data;
  CONTINUO_ASSIGN_OR_RETURN(data.dataset, Dataset::Open(pattern, format, pool));
  data.num_examples = data.dataset->num_examples();
  if (num_eval_examples > data.num_examples) {
    LogWarn("--num_eval_examples=", num_eval_examples,
            ", but the data set has ", data.num_examples,
            " examples; each is evaluated once");
  } else if (num_eval_examples > 0) {
    data.num_examples = num_eval_examples;
  }
  return data;
}

absl::StatusOr<EvalSums> EvaluateDataset(const Dataset& dataset,
                                         const EventEncoder& encoder,
                                         int64_t num_examples, int batch_size,
                                         DropoutSpec dropout,
                                         EventRnnTrainer* trainer) {
  EvalSums result;
  std::vector<int64_t> indices;
  for (int64_t begin = 0; begin < num_examples; begin += batch_size) {
    indices.resize(std::min<int64_t>(batch_size, num_examples - begin));
    std::iota(indices.begin(), indices.end(), begin);
    CONTINUO_ASSIGN_OR_RETURN(const PackedBatch batch,
                              dataset.ReadBatch(indices));
    CONTINUO_RETURN_IF_ERROR(trainer->Evaluate(batch, dropout, &result.sums));
    result.time_steps += BatchTimeSteps(batch, encoder);
    result.examples += batch.num_rows();
    ++dropout.step;
  }
  return result;
}

absl::StatusOr<EvalReport> EvaluateAt(int64_t step, const EvalData& data,
                                      const EventEncoder& encoder,
                                      int batch_size, DropoutSpec dropout,
                                      EventRnnTrainer* trainer) {
  const absl::Time begin = absl::Now();
  CONTINUO_ASSIGN_OR_RETURN(
      const EvalSums result,
      EvaluateDataset(*data.dataset, encoder, data.num_examples, batch_size,
                      dropout, trainer));
  const int heads = data.dataset->format().heads();
  return EvalReport{
      .step = step,
      .metrics =
          ComputeMetrics(result.sums, result.time_steps, EmptyAccuracy::kZero),
      .heads = heads,
      .unigram_nats = data.dataset->UnigramEntropy(),
      .examples = result.examples,
      .events = result.sums.labels / heads,
      .elapsed_seconds = absl::ToDoubleSeconds(absl::Now() - begin)};
}

absl::Status FollowCheckpoints(const EvalOptions& options, const Stream& stream,
                               const StopFlag& stop) {
  const std::string train_dir = TrainDir(options.run_dir);
  const std::string eval_dir = EvalDir(options.run_dir);
  if (options.once) {
    CONTINUO_RETURN_IF_ERROR(LatestCheckpoint(train_dir).status());
  }
  LogInfo("Eval dir: ", eval_dir);
  std::optional<Evaluation> eval;
  std::optional<Reporter> reporter;
  std::string last;
  absl::Time waiting_since = absl::Now();
  while (!stop.load()) {
    const std::optional<std::string> prefix = NewCheckpoint(train_dir, last);
    if (!prefix.has_value()) {
      if (absl::Now() - waiting_since >= options.timeout) {
        LogInfo("no new checkpoint in ", train_dir, " for ",
                absl::FormatDuration(options.timeout), "; done");
        return absl::OkStatus();
      }
      SleepUntil(absl::Now() + options.poll, stop);
      continue;
    }
    const absl::Time begin = absl::Now();
    if (!eval.has_value()) {
      CONTINUO_ASSIGN_OR_RETURN(Evaluation prepared, Prepare(options, stream));
      LogInfo("hyperparameters ", HparamsToString(prepared.model.hparams));
      CONTINUO_RETURN_IF_ERROR(MakeDirectories(eval_dir));
      CONTINUO_ASSIGN_OR_RETURN(
          Reporter opened,
          Reporter::Open(eval_dir, std::numeric_limits<int64_t>::max()));
      eval.emplace(std::move(prepared));
      reporter.emplace(std::move(opened));
    }
    const auto step = EvaluateCheckpoint(options, *prefix, *eval, *reporter);
    // A training that keeps few checkpoints may have replaced this one.
    if (!step.ok()) {
      if (!NewCheckpoint(train_dir, *prefix).has_value()) return step.status();
      LogWarn(*prefix, " was replaced before it was read; taking the next: ",
              step.status().message());
    }
    if (options.once && step.ok()) return absl::OkStatus();
    last = *prefix;
    waiting_since = absl::Now();
    SleepUntil(begin + options.interval, stop);
  }
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace continuo
