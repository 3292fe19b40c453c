// SPDX-License-Identifier: Apache-2.0

#include "train/loop/resolve_model.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/events/compact_example.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

absl::Status Disagrees(absl::string_view field, absl::string_view given,
                       absl::string_view stored) {
  return absl::InvalidArgumentError(absl::StrCat(
      field, given, " disagrees with ", stored.empty() ? "none" : stored,
      ", with which this run was started; leave it out or use another "
      "`run_dir`"));
}

// Hyperparameters that a job may give other values than the run was started
// with: those that leave the network as it is.
bool MayChange(absl::string_view name, JobKind job) {
  if (name == "batch_size" || name == "use_cudnn") return true;
  return job == JobKind::kTrain &&
         (name == "learning_rate" || name == "clip_norm" ||
          name == "dropout_keep_prob");
}

absl::StatusOr<ModelConfig> ModelFromRequest(Family family,
                                             const RequestedModel& requested) {
  const bool melody = family == Family::kMelody;
  if (requested.config.empty() && requested.melody_encoder_decoder.empty()) {
    std::string names;
    for (const ModelConfig& config : Configs(family)) {
      absl::StrAppend(&names, names.empty() ? "" : ", ", config.name);
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "`config` is missing: give one of ", names,
        melody ? ", or `melody_encoder_decoder`=onehot, lookback or key" : ""));
  }
  ModelConfig model;
  if (requested.config.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        model, MelodyEncoderDecoderConfig(requested.melody_encoder_decoder));
  } else {
    CONTINUO_ASSIGN_OR_RETURN(model, FindConfig(family, requested.config));
  }
  CONTINUO_RETURN_IF_ERROR(ParseHparams(requested.hparams, &model.hparams));
  return model;
}

absl::StatusOr<ModelConfig> ModelFromRun(Family family,
                                         const RequestedModel& requested,
                                         const RunConfig& stored, JobKind job) {
  ModelConfig model = stored.model;
  if (model.family != family) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`run_dir` holds a run of ", FamilyName(model.family), ", not of ",
        FamilyName(family), "; use another `run_dir`"));
  }
  // A default does not speak against a run that was started with another one.
  if (!requested.config.empty() &&
      requested.config != requested.default_config &&
      requested.config != model.name) {
    return Disagrees("`config`=", requested.config, model.name);
  }
  if (!requested.melody_encoder_decoder.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        const ModelConfig given,
        MelodyEncoderDecoderConfig(requested.melody_encoder_decoder));
    if (!model.name.empty() || given.encoding != model.encoding) {
      return Disagrees(
          "`melody_encoder_decoder`=", requested.melody_encoder_decoder,
          model.name.empty() ? "another encoding" : model.name);
    }
  }
  CONTINUO_RETURN_IF_ERROR(ParseHparams(requested.hparams, &model.hparams));
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            HparamNames(requested.hparams));
  for (const std::string& name : names) {
    const std::string given = HparamValue(model.hparams, name);
    const std::string before = HparamValue(stored.model.hparams, name);
    if (given != before && !MayChange(name, job)) {
      return Disagrees("`hparams`: ", absl::StrCat(name, "=", given),
                       absl::StrCat(name, "=", before));
    }
  }
  return model;
}

absl::StatusOr<ModelConfig> ModelFromFile(Family family,
                                          const RequestedModel& requested,
                                          const ModelFile& file) {
  auto model =
      ConfigOfModel(file, family,
                    {.config = requested.config,
                     .default_config = requested.default_config,
                     .melody_encoder_decoder = requested.melody_encoder_decoder,
                     .hparams = requested.hparams},
                    Agreement::kSameNetwork);
  CONTINUO_RETURN_IF_ERROR(
      Annotate(model.status(), "`warm_start_bundle_file`"));
  CONTINUO_RETURN_IF_ERROR(ParseHparams(requested.hparams, &model->hparams));
  model->first_events.clear();  // those of its own data count
  return model;
}

}  // namespace

absl::StatusOr<ModelConfig> ResolveModel(
    Family family, const RequestedModel& requested,
    const std::optional<RunConfig>& stored, JobKind job,
    const std::optional<ModelFile>& warm_start) {
  if (!requested.config.empty() && !requested.melody_encoder_decoder.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "`config`=", requested.config,
        " and `melody_encoder_decoder`=", requested.melody_encoder_decoder,
        " exclude each other; give one of them"));
  }
  absl::StatusOr<ModelConfig> model =
      stored.has_value()       ? ModelFromRun(family, requested, *stored, job)
      : warm_start.has_value() ? ModelFromFile(family, requested, *warm_start)
                               : ModelFromRequest(family, requested);
  if (!model.ok()) return model;
  if (!requested.generator_id.empty()) model->id = requested.generator_id;
  if (!requested.generator_description.empty()) {
    model->description = requested.generator_description;
  }
  return model;
}

std::string TrainDir(const std::string& run_dir) {
  return JoinPath(run_dir, "train");
}
std::string EvalDir(const std::string& run_dir) {
  return JoinPath(run_dir, "eval");
}

absl::StatusOr<std::optional<RunConfig>> StoredRunConfig(
    const std::string& run_dir) {
  const std::string dir = TrainDir(run_dir);
  if (!FileExists(JoinPath(dir, "checkpoint"))) return std::nullopt;
  absl::StatusOr<RunConfig> config = ReadRunConfig(dir);
  if (absl::IsNotFound(config.status())) return std::nullopt;
  if (!config.ok()) return config.status();
  return std::optional<RunConfig>(*std::move(config));
}

ExampleFormat ExampleFormatOf(const ModelConfig& model) {
  return MakeExampleFormat(model.encoding,
                           model.name.empty()
                               ? "this `melody_encoder_decoder`"
                               : absl::StrCat("`config`=", model.name));
}

}  // namespace continuo
