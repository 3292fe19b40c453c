// SPDX-License-Identifier: Apache-2.0

#include "train/loop/job.h"

#include <algorithm>
#include <bit>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/records/open_together.h"
#include "models/model_file/tf_variable_names.h"
#include "models/network/device_check.h"
#include "models/network/network.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"
#include "runtime/device/version.h"
#include "runtime/files/crc32c.h"
#include "runtime/files/file.h"
#include "train/checkpoints/warm_start.h"
#include "train/loop/agreement.h"
#include "train/loop/first_events.h"
#include "train/loop/resolve_model.h"

namespace continuo {
namespace {

int DefaultMicroBatches(const Collective* collective) {
  if (collective == nullptr) return 1;
  return static_cast<int>(
      std::bit_ceil(static_cast<unsigned>(collective->size())));
}

// A random seed, the same on all ranks.
absl::StatusOr<uint64_t> NewSeed(Collective* collective) {
  CONTINUO_ASSIGN_OR_RETURN(const std::string text,
                            FromWriter(collective, absl::StrCat(RandomSeed())));
  uint64_t seed = 0;
  if (!absl::SimpleAtoi(text, &seed)) {
    return absl::InternalError(
        absl::StrCat("rank 0 has sent no seed but \"", text, "\""));
  }
  return seed;
}

// The configuration of the run; its seed is known.
absl::StatusOr<RunConfig> MakeRunConfig(
    const TrainOptions& options, uint64_t new_seed,
    const std::optional<RunConfig>& stored,
    const std::optional<ModelFile>& warm_start) {
  RunConfig config;
  CONTINUO_ASSIGN_OR_RETURN(config.model,
                            ResolveModel(options.family, options.model, stored,
                                         JobKind::kTrain, warm_start));
  config.version = ProgramVersion();
  config.micro_batches = options.micro_batches.value_or(
      stored.has_value() ? stored->micro_batches
                         : DefaultMicroBatches(options.collective));
  if (config.micro_batches < 1 || config.micro_batches > kMaxMicroBatches) {
    return absl::InvalidArgumentError(
        absl::StrCat("`micro_batches`=", config.micro_batches,
                     ": must be 1 to ", kMaxMicroBatches));
  }
  if (!stored.has_value()) {
    config.seed = options.seed.value_or(new_seed);
    return config;
  }
  config.seed = stored->seed.has_value() ? stored->seed : options.seed;
  if (!config.seed.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        JoinPath(TrainDir(options.run_dir), kRunConfigFile),
        " does not say with which seed this run was started; give `seed`"));
  }
  if (options.seed.has_value() && options.seed != config.seed) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`seed`=", *options.seed, " disagrees with ", *config.seed,
        ", with which this run was started; leave it out or use another "
        "`run_dir`"));
  }
  return config;
}

absl::Status InitialState(Job& job) {
  std::vector<float> flat(job.rnn->flat_size(), 0.0f);
  InitializeParameters(job.rnn->parameters(), *job.config.seed,
                       absl::MakeSpan(flat));
  if (job.warm_start.has_value()) {
    CONTINUO_ASSIGN_OR_RETURN(
        flat, WarmStartWeights(job.options.warm_start_bundle_file,
                               job.warm_start->tensors, job.rnn->parameters()));
    job.warm_start.reset();
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

// The newest checkpoint that can be read. The steps after it are the same
// again, so nothing but time is lost with a damaged one. Its shapes are
// compared before a network of the stored sizes is made.
absl::StatusOr<NamedCheckpoint> ReadNewest(Job& job) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> prefixes,
                            ListCheckpoints(job.dir));
  job.latest = prefixes[0];
  // Starting afresh would overwrite a run that cannot be read.
  absl::StatusOr<NamedCheckpoint> newest = ReadNewestCheckpoint(job.dir);
  if (!newest.ok()) {
    return absl::Status(newest.status().code(),
                        absl::StrCat(newest.status().message(),
                                     "; restore one or use another `run_dir`"));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      newest->tensors,
      WithCurrentNames(std::move(newest->tensors), newest->prefix));
  CONTINUO_RETURN_IF_ERROR(
      CheckTensorShapes(NetworkParameters(MakeNetworkSpec(
                            *job.encoder, job.config.model.hparams)),
                        newest->tensors, /*suffix=*/"", newest->prefix));
  return newest;
}

// Whether the folder holds a checkpoint of a later step than 0. (That of step 0
// is all that a run killed at its very beginning leaves.) An error if it cannot
// be listed: what it holds must not be taken for nothing.
absl::StatusOr<bool> HasProgress(const std::string& dir) {
  namespace fs = std::filesystem;
  if (!FileExists(dir)) return false;
  std::error_code error;
  fs::directory_iterator entry(dir, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (absl::StartsWith(name, "model.ckpt-") &&
        absl::EndsWith(name, ".index") && name != "model.ckpt-0.index") {
      return true;
    }
  }
  if (!error) return false;
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat(dir, ": cannot list the folder"));
}

std::string DataText(const Dataset& data) {
  const RecordDigest& digest = data.digest();
  return absl::StrFormat("%d examples of %d bytes with checksum %08x",
                         digest.records, digest.bytes, digest.crc32c);
}

std::string EvalText(const TrainOptions& options) {
  const PeriodicEvalOptions& eval = options.eval;
  return absl::StrCat("every ", eval.every_steps, " steps of ",
                      eval.num_examples, " examples, keeping ", eval.keep_best,
                      ", until ", eval.early_stopping_evals);
}

std::string DeviceText(const Stream& stream) {
  return absl::StrCat(stream.device.type == DeviceType::kCpu ? "cpu" : "cuda",
                      " (", static_cast<int>(stream.options.precision),
                      static_cast<int>(stream.options.form),
                      static_cast<int>(stream.options.backend), ")");
}

// What decides the course of a training.
std::vector<SharedFact> Facts(const Job& job) {
  const TrainOptions& options = job.options;
  const ModelConfig& model = job.config.model;
  std::vector<SharedFact> facts = {
      {"the version", job.config.version},
      {"`config`", model.name},
      {"`hparams`", HparamsToString(model.hparams)},
      {"`seed`", absl::StrCat(*job.config.seed)},
      {"`micro_batches`", absl::StrCat(job.config.micro_batches)},
      {"the configuration",
       absl::StrCat("one with checksum ", Crc32c(RunConfigToJson(job.config)))},
      {"the training data", DataText(*job.dataset)},
      {"the checkpoint", job.restored_from},
      {"the global step", absl::StrCat(job.state.global_step)},
      {"the kind of device", DeviceText(job.rnn->stream())},
      {"`num_training_steps`", absl::StrCat(options.num_training_steps)},
      {"`save_checkpoint_steps`", absl::StrCat(options.save_steps)},
      {"`sample_every_steps`", absl::StrCat(options.sample_every_steps)},
      {"`reduction`",
       options.reduction == Reduction::kExact ? "exact" : "nccl"},
      {"the evaluation", EvalText(options)}};
  if (job.eval != nullptr) {
    facts.push_back({"the evaluation data", DataText(job.eval->dataset())});
  }
  return facts;
}

}  // namespace

absl::StatusOr<Job> PrepareJob(const TrainOptions& options,
                               const Stream& stream) {
  Job job;
  job.options = options;
  job.dir = TrainDir(options.run_dir);
  CONTINUO_ASSIGN_OR_RETURN(const uint64_t new_seed,
                            NewSeed(options.collective));
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<RunConfig> stored,
                            StoredRunConfig(options.run_dir));
  const bool resumes = FileExists(JoinPath(job.dir, "checkpoint"));
  if (!resumes && !options.warm_start_bundle_file.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(job.warm_start,
                              ReadWarmStart(options.warm_start_bundle_file));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      job.config, MakeRunConfig(options, new_seed, stored, job.warm_start));
  const ModelConfig& model = job.config.model;
  job.encoder = MakeEventEncoder(model.encoding);
  LogInfo("reading and checking ", options.sequence_example_file);
  CONTINUO_ASSIGN_OR_RETURN(
      job.dataset,
      OpenTogether(options.sequence_example_file, ExampleFormatOf(model),
                   stream.pool, options.collective));
  if (model.family == Family::kMelody && model.first_events.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(job.config.model.first_events,
                              CountFirstEvents(*job.dataset, *job.encoder));
  }
  NamedCheckpoint newest;
  if (resumes) {
    CONTINUO_ASSIGN_OR_RETURN(newest, ReadNewest(job));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      job.rnn,
      EventRnn::Create(MakeNetworkSpec(*job.encoder, model.hparams), stream));
  if (options.self_check) {
    CONTINUO_RETURN_IF_ERROR(CheckDevice(stream, job.rnn->spec()));
  }
  // The arrays are those of a micro-batch.
  const int count = job.config.micro_batches;
  const int rows = MaxMicroBatchRows(model.hparams.batch_size, count);
  int64_t max_events =
      MaxMicroBatchEvents(job.dataset->MaxEvents(model.hparams.batch_size),
                          job.dataset->max_steps(), count);
  if (options.eval.every_steps > 0) {
    CONTINUO_ASSIGN_OR_RETURN(
        job.eval,
        PeriodicEval::Open(options.eval, *job.encoder, model, stream.pool));
    max_events = std::max(max_events, job.eval->MaxEvents(rows));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      job.trainer,
      EventRnnTrainer::Create(job.rnn.get(), rows, max_events,
                              /*inference_only=*/false, ShareOf(job)));
  if (resumes) {
    CONTINUO_RETURN_IF_ERROR(RestoreState(job, newest.prefix, newest.tensors));
    CONTINUO_RETURN_IF_ERROR(CheckSameFacts(options.collective, Facts(job)));
    return job;
  }
  CONTINUO_ASSIGN_OR_RETURN(const bool has_progress, HasProgress(job.dir));
  if (has_progress) {
    return absl::FailedPreconditionError(absl::StrCat(
        job.dir,
        ": holds checkpoints, but the file \"checkpoint\" that names "
        "the newest is missing; restore it, or write this line into it, with "
        "the newest N: model_checkpoint_path: \"model.ckpt-N\"; or use "
        "another `run_dir` for a new run"));
  }
  CONTINUO_RETURN_IF_ERROR(InitialState(job));
  CONTINUO_RETURN_IF_ERROR(CheckSameFacts(options.collective, Facts(job)));
  return job;
}

}  // namespace continuo
