// SPDX-License-Identifier: Apache-2.0

#include "train/loop/job.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "models/model_file/tf_variable_names.h"
#include "models/network/device_check.h"
#include "models/network/network.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"
#include "runtime/device/version.h"
#include "runtime/files/file.h"
#include "train/checkpoints/warm_start.h"
#include "train/loop/first_events.h"
#include "train/loop/resolve_model.h"

namespace continuo {
namespace {

// The configuration of the run; its seed is known.
absl::StatusOr<RunConfig> MakeRunConfig(
    const TrainOptions& options, const std::optional<RunConfig>& stored,
    const std::optional<ModelFile>& warm_start) {
  RunConfig config;
  CONTINUO_ASSIGN_OR_RETURN(config.model,
                            ResolveModel(options.family, options.model, stored,
                                         JobKind::kTrain, warm_start));
  config.version = ProgramVersion();
  if (!stored.has_value()) {
    config.seed = options.seed.value_or(RandomSeed());
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

}  // namespace

absl::StatusOr<Job> PrepareJob(const TrainOptions& options,
                               const Stream& stream) {
  Job job;
  job.options = options;
  job.dir = TrainDir(options.run_dir);
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<RunConfig> stored,
                            StoredRunConfig(options.run_dir));
  const bool resumes = FileExists(JoinPath(job.dir, "checkpoint"));
  if (!resumes && !options.warm_start_bundle_file.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(job.warm_start,
                              ReadWarmStart(options.warm_start_bundle_file));
  }
  CONTINUO_ASSIGN_OR_RETURN(job.config,
                            MakeRunConfig(options, stored, job.warm_start));
  const ModelConfig& model = job.config.model;
  job.encoder = MakeEventEncoder(model.encoding);
  LogInfo("reading and checking ", options.sequence_example_file);
  CONTINUO_ASSIGN_OR_RETURN(job.dataset,
                            Dataset::Open(options.sequence_example_file,
                                          ExampleFormatOf(model), stream.pool));
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
    CONTINUO_RETURN_IF_ERROR(RestoreState(job, newest.prefix, newest.tensors));
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
  return job;
}

}  // namespace continuo
