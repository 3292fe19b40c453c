#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/records/dataset.h"
#include "models/device_check.h"
#include "models/event_rnn.h"
#include "models/network.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/random.h"
#include "runtime/status.h"
#include "train/checkpoint_keeper.h"
#include "train/report.h"
#include "train/run_lock.h"
#include "train/train_state.h"
#include "train/warm_start.h"

namespace continuo {
namespace {

// Everything a training needs, made before anything is written.
struct Job {
  TrainOptions options;
  RunConfig config;
  std::string dir;  // <run_dir>/train
  std::unique_ptr<EventEncoder> encoder;
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<PeriodicEval> eval;  // null = no evaluation
  std::unique_ptr<EventRnn> rnn;
  std::unique_ptr<EventRnnTrainer> trainer;
  TrainState state;
  TensorMap warm_start;       // what --warm_start_bundle_file holds
  std::string restored_from;  // prefix of the checkpoint; empty = new run
  std::string latest;  // the newest, which may be another if it is damaged
};

absl::StatusOr<RunConfig> MakeRunConfig(
    const TrainOptions& options, const std::optional<RunConfig>& stored) {
  RunConfig config;
  CONTINUO_ASSIGN_OR_RETURN(
      config.model,
      ResolveModel(options.family, options.model, stored, JobKind::kTrain));
  config.version = ProgramVersion();
  if (!stored.has_value()) {
    config.seed = options.seed.value_or(RandomSeed());
    return config;
  }
  config.seed = stored->seed;
  if (options.seed.has_value() && *options.seed != stored->seed) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--seed=", *options.seed, " disagrees with ", stored->seed,
        ", with which this run was started; leave it out or use another "
        "--run_dir"));
  }
  return config;
}

// Reads what a new run begins with. A configuration with attention, whose
// default is that of the current graphs, takes the form that the file has.
absl::Status OpenWarmStart(Job& job) {
  const std::string& path = job.options.warm_start_bundle_file;
  if (path.empty()) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(job.warm_start, ReadWarmStart(path));
  Hparams& hparams = job.config.model.hparams;
  if (!HasAttentionAroundStack(job.warm_start) ||
      hparams.attention_around_stack || hparams.attn_length == 0 ||
      hparams.residual_connections) {
    return absl::OkStatus();
  }
  LogInfo("warm start: ", path,
          " has its attention around all layers (TensorFlow 0.x), and so has "
          "this run: attention_around_stack=true");
  hparams.attention_around_stack = true;
  return absl::OkStatus();
}

absl::Status InitialState(Job& job) {
  std::vector<float> flat(job.rnn->flat_size(), 0.0f);
  InitializeParameters(job.rnn->parameters(), job.config.seed,
                       absl::MakeSpan(flat));
  const std::string& bundle_file = job.options.warm_start_bundle_file;
  if (!bundle_file.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        flat,
        WarmStartWeights(bundle_file, job.warm_start, job.rnn->parameters()));
    job.warm_start.clear();
  }
  CONTINUO_RETURN_IF_ERROR(job.rnn->SetWeights(flat));
  const std::vector<float> zeros(job.rnn->flat_size(), 0.0f);
  job.state.num_examples = job.dataset->num_examples();
  return job.trainer->SetSlots(zeros, zeros);
}

absl::Status RestoreState(Job& job, const std::string& prefix,
                          const TensorMap& tensors) {
  CONTINUO_ASSIGN_OR_RETURN(
      job.state, ImportState(tensors, prefix, job.dataset->num_examples(),
                             job.config.model.hparams.batch_size, job.rnn.get(),
                             job.trainer.get()));
  job.restored_from = prefix;
  return absl::OkStatus();
}

// Goes on with the newest checkpoint that can be read. The steps after it are
// the same again, so nothing but time is lost with a damaged one.
absl::Status RestoreNewest(Job& job) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> prefixes,
                            ListCheckpoints(job.dir));
  job.latest = prefixes[0];
  absl::Status newest;
  for (const std::string& prefix : prefixes) {
    const absl::StatusOr<TensorMap> tensors = ReadRunCheckpoint(prefix);
    if (tensors.ok()) {
      if (!newest.ok()) {
        LogWarn("the newest checkpoint ", prefixes[0],
                " cannot be used; going on with ", prefix);
      }
      return RestoreState(job, prefix, *tensors);
    }
    const absl::Status& status = tensors.status();
    if (!absl::IsDataLoss(status) && !absl::IsNotFound(status)) return status;
    LogWarn(status.message());
    newest.Update(status);
  }
  // Starting afresh would overwrite a run that cannot be read.
  return Annotate(newest, absl::StrCat("no checkpoint that ", job.dir,
                                       "/checkpoint names can be read; restore "
                                       "one or use another --run_dir"));
}

void LogSetup(const Job& job) {
  const Hparams& hparams = job.config.model.hparams;
  const Dataset& data = *job.dataset;
  const int heads = data.format().heads();
  LogInfo("configuration ",
          job.config.model.name.empty() ? "(melody_encoder_decoder)"
                                        : job.config.model.name,
          ", hyperparameters ", HparamsToString(hparams));
  if (hparams.use_cudnn) {
    LogWarn("use_cudnn=true has no effect; --device picks where to compute");
  }
  LogInfo("seed ", job.config.seed, ", device ", StreamName(job.rnn->stream()));
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

// Whether the folder holds a checkpoint of a later step than 0. (That of step 0
// is all that a run killed at its very beginning leaves.)
bool HasProgress(const std::string& dir) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, "model.ckpt-") &&
        absl::EndsWith(name, ".index") && name != "model.ckpt-0.index") {
      return true;
    }
  }
  return false;
}

// The newest checkpoint that the folder's state file names; empty = none.
std::string NewestListed(const std::string& dir) {
  const auto prefixes = ListCheckpoints(dir);
  return prefixes.ok() ? (*prefixes)[0] : "";
}

absl::StatusOr<Job> Prepare(const TrainOptions& options, const Stream& stream) {
  Job job;
  job.options = options;
  job.dir = TrainDir(options.run_dir);
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<RunConfig> stored,
                            StoredRunConfig(options.run_dir));
  CONTINUO_ASSIGN_OR_RETURN(job.config, MakeRunConfig(options, stored));
  const bool resumes = FileExists(JoinPath(job.dir, "checkpoint"));
  if (!resumes) CONTINUO_RETURN_IF_ERROR(OpenWarmStart(job));
  const ModelConfig& model = job.config.model;
  job.encoder = MakeEventEncoder(model.encoding);
  LogInfo("reading and checking ", options.sequence_example_file);
  CONTINUO_ASSIGN_OR_RETURN(
      job.dataset,
      Dataset::Open(options.sequence_example_file,
                    ExampleFormatOf(model), stream.pool));
  CONTINUO_ASSIGN_OR_RETURN(
      job.rnn,
      EventRnn::Create(MakeNetworkSpec(*job.encoder, model.hparams), stream));
  if (options.self_check) {
    CONTINUO_RETURN_IF_ERROR(CheckDevice(stream, job.rnn->spec()));
  }
  const int rows = model.hparams.batch_size;
  int64_t max_events = job.dataset->MaxEvents(rows);
  if (options.eval.every_steps > 0) {
    CONTINUO_ASSIGN_OR_RETURN(
        job.eval,
        PeriodicEval::Open(options.eval, *job.encoder, model, stream.pool));
    max_events = std::max(max_events, job.eval->MaxEvents(rows));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      job.trainer, EventRnnTrainer::Create(job.rnn.get(), rows, max_events));
  if (resumes) {
    CONTINUO_RETURN_IF_ERROR(RestoreNewest(job));
  } else if (HasProgress(job.dir)) {
    return absl::FailedPreconditionError(absl::StrCat(
        job.dir,
        ": holds checkpoints, but the file \"checkpoint\" that names "
        "the newest is missing; restore it, or write this line into it, with "
        "the newest N: model_checkpoint_path: \"model.ckpt-N\"; or use "
        "another --run_dir for a new run"));
  } else {
    CONTINUO_RETURN_IF_ERROR(InitialState(job));
  }
  return job;
}

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

absl::Duration Now(const Job& job) { return job.options.clock.monotonic(); }

// Saves at intervals, and never the same step twice.
struct Saver {
  explicit Saver(CheckpointKeeper k) : keeper(std::move(k)) {}

  CheckpointKeeper keeper;
  absl::Duration last_time = -absl::InfiniteDuration();
  int64_t last_step = -1;
  std::string last_prefix;

  bool Due(const Job& job, absl::Duration now) const {
    const TrainOptions& options = job.options;
    return now - last_time >= options.save_interval ||
           (options.save_steps > 0 &&
            job.state.global_step % options.save_steps == 0);
  }
  absl::Status Save(const Job& job, Reporter& reporter) {
    const int64_t step = job.state.global_step;
    if (last_step == step) return absl::OkStatus();
    // A run that goes on from here never computes earlier reports again.
    CONTINUO_RETURN_IF_ERROR(reporter.Sync());
    if (job.eval != nullptr) CONTINUO_RETURN_IF_ERROR(job.eval->Sync());
    CONTINUO_ASSIGN_OR_RETURN(const TensorMap tensors,
                              ExportState(*job.rnn, *job.trainer, job.state));
    CONTINUO_ASSIGN_OR_RETURN(last_prefix,
                              keeper.Save(step, tensors, Now(job)));
    last_time = Now(job);
    last_step = step;
    LogInfo("saved ", last_prefix);
    return reporter.events().WriteCheckpoint(step, last_prefix);
  }
};

// One update. The state moves past the batch.
absl::Status Step(Job& job, BatchStream& batches, LossSums* sums,
                  double* gradient_norm, int64_t* time_steps) {
  const Hparams& hparams = job.config.model.hparams;
  const int64_t step = job.state.global_step;
  CONTINUO_ASSIGN_OR_RETURN(const PackedBatch batch, batches.Next());
  CONTINUO_RETURN_IF_ERROR(
      job.trainer->TrainStep(batch,
                             {.keep_prob = hparams.dropout_keep_prob,
                              .seed = job.config.seed,
                              .step = static_cast<uint64_t>(step)},
                             {.learning_rate = hparams.learning_rate,
                              .clip_norm = hparams.clip_norm,
                              .step = step + 1},
                             sums, gradient_norm));
  const bool finite_loss = std::isfinite(sums->cross_entropy);
  if (!finite_loss || !std::isfinite(*gradient_norm)) {
    return absl::AbortedError(absl::StrCat(
        finite_loss ? "the gradient" : "the loss", " of step ", step + 1,
        " is not finite; nothing of it was saved. Start again from the last "
        "checkpoint with a smaller learning_rate (now ",
        hparams.learning_rate, ") or clip_norm (now ", hparams.clip_norm,
        ") in --hparams"));
  }
  *time_steps = BatchTimeSteps(batch, *job.encoder);
  job.state.global_step = step + 1;
  job.state.position = batches.position();
  return absl::OkStatus();
}

// Evaluates the weights as they are, and keeps them if they are the best.
absl::Status Evaluate(Job& job, const StopFlag& stop) {
  const int64_t step = job.state.global_step;
  CONTINUO_ASSIGN_OR_RETURN(
      const bool best,
      job.eval->Evaluate(step, stop, job.trainer.get(), &job.state.history));
  if (!best || !job.eval->keep_best()) return absl::OkStatus();
  CONTINUO_ASSIGN_OR_RETURN(const TensorMap tensors,
                            ExportState(*job.rnn, *job.trainer, job.state));
  return job.eval->SaveBest(step, tensors);
}

// Shows what the network writes by now. A training is worth more than its
// pictures: it goes on without one that cannot be drawn.
absl::Status Sample(const Job& job, Reporter& reporter) {
  const absl::StatusOr<SummaryImage> image =
      job.options.sample(*job.rnn, job.config.model, job.config.seed);
  if (!image.ok()) {
    LogWarn("no samples at step ", job.state.global_step, ": ",
            image.status().message());
    return absl::OkStatus();
  }
  return reporter.events().WriteImage(job.state.global_step, "continuo/samples",
                                      *image);
}

// Whether the evaluations say that it is time to stop.
bool GivenUp(const Job& job) {
  return job.eval != nullptr && job.eval->GivenUp(job.state.history);
}

std::string BestText(const EvalHistory& history) {
  return absl::StrFormat(
      "the evaluation loss has not improved %d times; its lowest was %.4f at "
      "step %d",
      history.evals_since_best, history.best_loss, history.best_step);
}

absl::Duration TimeLeft(const Job& job, absl::Duration elapsed,
                        int64_t steps_done) {
  absl::Duration left = job.options.max_time - elapsed;
  if (job.options.num_training_steps > 0) {
    left =
        std::min(left, elapsed / static_cast<double>(steps_done) *
                           static_cast<double>(job.options.num_training_steps -
                                               job.state.global_step));
  }
  return std::max(left, absl::ZeroDuration());
}

absl::StatusOr<TrainResult> RunLoop(Job& job, Saver& saver, Reporter& reporter,
                                    const StopFlag& stop) {
  const TrainOptions& options = job.options;
  const Hparams& hparams = job.config.model.hparams;
  const double unigram = job.dataset->UnigramEntropy();
  const int heads = job.dataset->format().heads();
  const int64_t first_step = job.state.global_step;
  BatchStream batches(job.dataset.get(), hparams.batch_size, job.config.seed,
                      job.state.position);
  CONTINUO_RETURN_IF_ERROR(reporter.events().WriteStart(first_step + 1));
  const absl::Duration begin = Now(job);
  Window window{.begin = begin};
  RecentLoss recent;
  TrainResult result;
  for (;;) {
    const int64_t done = job.state.global_step - first_step;
    if (options.num_training_steps > 0 &&
        job.state.global_step >= options.num_training_steps) {
      result.end = TrainEnd::kSteps;
      break;
    }
    if (GivenUp(job)) {
      LogInfo(BestText(job.state.history));
      result.end = TrainEnd::kNoImprovement;
      break;
    }
    if (stop.load()) {
      result.end = TrainEnd::kStopped;
      break;
    }
    if (Now(job) - begin >= options.max_time) {
      result.end = TrainEnd::kTime;
      break;
    }
    StepReport report;
    report.heads = heads;
    report.unigram_nats = unigram;
    report.learning_rate = hparams.learning_rate;
    report.queue_fill = batches.fill();
    LossSums sums;
    int64_t time_steps = 0;
    CONTINUO_RETURN_IF_ERROR(
        Step(job, batches, &sums, &report.gradient_norm, &time_steps));
    const absl::Duration now = Now(job);
    ++window.steps;
    window.events += sums.labels / heads;
    report.metrics = ComputeMetrics(sums, time_steps, EmptyAccuracy::kNan);
    recent.Add(report.metrics.loss);
    // The first step, then every summary_frequency-th.
    if (done % options.summary_frequency == 0) {
      const double seconds = absl::ToDoubleSeconds(now - window.begin);
      report.step = job.state.global_step;
      report.events_per_second = static_cast<double>(window.events) / seconds;
      report.steps_per_second =
          done == 0 ? 0 : static_cast<double>(window.steps) / seconds;
      report.epoch = job.state.position.epoch;
      report.elapsed_seconds = absl::ToDoubleSeconds(now - begin);
      report.time_left = TimeLeft(job, now - begin, done + 1);
      CONTINUO_RETURN_IF_ERROR(reporter.Write(report));
      window = {.begin = Now(job)};
    }
    if (job.eval != nullptr && job.eval->Due(job.state.global_step)) {
      CONTINUO_RETURN_IF_ERROR(Evaluate(job, {false}));
    }
    if (options.sample_every_steps > 0 &&
        job.state.global_step % options.sample_every_steps == 0) {
      CONTINUO_RETURN_IF_ERROR(Sample(job, reporter));
    }
    window.begin += Now(job) - now;  // events/s are those of training
    // After the evaluation, whose outcome it holds.
    if (saver.Due(job, now)) {
      CONTINUO_RETURN_IF_ERROR(saver.Save(job, reporter));
    }
  }
  CONTINUO_RETURN_IF_ERROR(saver.Save(job, reporter));
  result.global_step = job.state.global_step;
  result.checkpoint = saver.last_prefix;
  std::string line =
      absl::StrFormat("%s at step %d after %s",
                      result.end == TrainEnd::kStopped ? "stopped" : "finished",
                      result.global_step, ClockTime(Now(job) - begin));
  if (recent.size() > 0) {
    absl::StrAppendFormat(
        &line,
        ": mean loss of the last %d steps %.4f (%.3f bits/event, unigram %.3f)",
        recent.size(), recent.Mean(), BitsPerEvent(recent.Mean(), heads),
        BitsPerEvent(unigram, heads));
  }
  LogInfo(line, "; checkpoint ", result.checkpoint);
  return result;
}

}  // namespace

absl::StatusOr<TrainResult> Train(const TrainOptions& options,
                                  const Stream& stream, const StopFlag& stop) {
  CONTINUO_ASSIGN_OR_RETURN(Job job, Prepare(options, stream));
  LogSetup(job);
  const int64_t step = job.state.global_step;
  if (!job.restored_from.empty()) LogInfo("going on with step ", step + 1);
  if (options.num_training_steps > 0 && step >= options.num_training_steps) {
    LogInfo("the run has reached step ", step,
            " already; nothing to do (raise --num_training_steps to go on)");
    return TrainResult{TrainEnd::kSteps, step, job.restored_from};
  }
  if (GivenUp(job)) {
    LogInfo(BestText(job.state.history),
            "; nothing to do (raise --early_stopping_evals to go on)");
    return TrainResult{TrainEnd::kNoImprovement, step, job.restored_from};
  }
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
        job.eval->Begin(options.run_dir, job.config, step, reporting));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      CheckpointKeeper keeper,
      CheckpointKeeper::Open(job.dir, options.num_checkpoints, Now(job),
                             job.restored_from));
  Saver saver(std::move(keeper));
  if (!job.restored_from.empty()) {
    saver.last_step = step;
    saver.last_time = Now(job);
    saver.last_prefix = job.restored_from;
  } else {
    CONTINUO_RETURN_IF_ERROR(saver.Save(job, reporter));
  }
  return RunLoop(job, saver, reporter, stop);
}

}  // namespace continuo
