#include "generate/load_model.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "generate/infer_network.h"
#include "models/bundle.h"
#include "models/checkpoint.h"
#include "models/legacy_names.h"
#include "models/run_config.h"
#include "models/weights.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/status.h"

namespace continuo {
namespace {

absl::Status CheckFlags(const ModelSource& source) {
  const bool checkpoint =
      !source.run_dir.empty() || !source.checkpoint_file.empty();
  if (!source.bundle_file.empty() && checkpoint) {
    return absl::InvalidArgumentError(
        absl::StrCat("--bundle_file and ",
                     source.run_dir.empty() ? "--checkpoint_file" : "--run_dir",
                     " are both given; name the model with one of them"));
  }
  if (source.bundle_file.empty() && !checkpoint) {
    return absl::InvalidArgumentError(
        "no model is given; use --run_dir=FOLDER of a training run, "
        "--checkpoint_file=FILE or --bundle_file=FILE.mag");
  }
  if (!source.config.empty() && !source.melody_encoder_decoder.empty()) {
    return absl::InvalidArgumentError(
        "--config and --melody_encoder_decoder are both given; use one of "
        "them");
  }
  return absl::OkStatus();
}

// The configuration that the flags name; nothing without such a flag.
absl::StatusOr<std::optional<ModelConfig>> ConfigOfFlags(
    const ModelSource& source, Family family) {
  if (!source.config.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(ModelConfig config,
                              FindConfig(family, source.config));
    return std::optional<ModelConfig>(std::move(config));
  }
  if (!source.melody_encoder_decoder.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        ModelConfig config,
        MelodyEncoderDecoderConfig(source.melody_encoder_decoder));
    return std::optional<ModelConfig>(std::move(config));
  }
  return std::optional<ModelConfig>();
}

// The same, but a default says nothing about a model that knows better.
absl::StatusOr<std::optional<ModelConfig>> ConfigStated(
    const ModelSource& source, Family family) {
  if (!source.config.empty() && source.config == source.default_config) {
    return std::optional<ModelConfig>();
  }
  return ConfigOfFlags(source, family);
}

std::string FlagOfConfig(const ModelSource& source) {
  return source.config.empty() ? absl::StrCat("--melody_encoder_decoder=",
                                              source.melody_encoder_decoder)
                               : absl::StrCat("--config=", source.config);
}

// An error if a hyperparameter of `names` given in --hparams differs from the
// one of the stored model.
absl::Status CheckHparams(const ModelSource& source, const Hparams& stored,
                          absl::Span<const absl::string_view> names,
                          absl::string_view path) {
  Hparams given = stored;
  CONTINUO_RETURN_IF_ERROR(
      Annotate(ParseHparams(source.hparams, &given), "--hparams"));
  for (absl::string_view name : names) {
    const std::string want = HparamValue(given, name);
    const std::string have = HparamValue(stored, name);
    if (want == have) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--hparams gives ", name, "=", want, ", but ", path,
                     " was trained with ", name, "=", have,
                     "; leave it out of --hparams (the model knows it)"));
  }
  return absl::OkStatus();
}

// What the shapes of a network say.
constexpr absl::string_view kShapeHparams[] = {"rnn_layer_sizes", "attn_length",
                                               "residual_connections",
                                               "attention_around_stack"};
// Everything that is stored, the batch size (which is free) left out, and
// use_cudnn, which changes nothing.
constexpr absl::string_view kStoredHparams[] = {"rnn_layer_sizes",
                                                "attn_length",
                                                "residual_connections",
                                                "attention_around_stack",
                                                "dropout_keep_prob",
                                                "learning_rate",
                                                "clip_norm"};

// The configuration of a bundle: by its id, sizes by its tensors.
absl::StatusOr<ModelConfig> ConfigOfBundle(const Bundle& bundle,
                                           const ModelSource& source,
                                           Family family) {
  const std::string& path = source.bundle_file;
  std::optional<ModelConfig> config;
  std::string known;
  for (const ModelConfig& candidate : Configs(family)) {
    // The compact configuration has the id of the one it encodes like, which
    // comes first.
    if (candidate.id == bundle.id && !config.has_value()) config = candidate;
    absl::StrAppend(&known, known.empty() ? "" : ", ", candidate.id);
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<ModelConfig> given,
                            ConfigStated(source, family));
  if (config.has_value()) {
    if (given.has_value() && given->encoding != config->encoding) {
      LogWarn(FlagOfConfig(source), " is ignored: ", path, " is a bundle of ",
              bundle.id);
    }
  } else {
    config = given;
    if (!config.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": generator id \"", bundle.id, "\" is not one of ",
          FamilyName(family), " (", known,
          "); if it is such a model under another name, say which with "
          "--config"));
    }
  }
  CONTINUO_ASSIGN_OR_RETURN(const NetworkShape shape,
                            InferNetworkShape(bundle.tensors, path));
  Hparams& hparams = config->hparams;
  hparams.rnn_layer_sizes = shape.layer_sizes;
  hparams.residual_connections = shape.residual_connections;
  hparams.attention_around_stack = shape.attention_around_stack;
  hparams.attn_length = 0;
  if (shape.attention) {
    CONTINUO_ASSIGN_OR_RETURN(
        hparams.attn_length,
        InferAttentionLength(bundle.metagraph, shape, path));
  }
  CONTINUO_RETURN_IF_ERROR(CheckHparams(source, hparams, kShapeHparams, path));
  return *std::move(config);
}

// The configuration of a checkpoint without a stored one (a run of the
// original): flags, corrected by the shapes of the tensors.
absl::StatusOr<ModelConfig> ConfigOfShapes(const TensorMap& tensors,
                                           const ModelSource& source,
                                           Family family,
                                           const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(std::optional<ModelConfig> config,
                            ConfigOfFlags(source, family));
  if (!config.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        ": no configuration is stored beside this checkpoint; say how "
        "it was trained with --config",
        family == Family::kMelody ? " or --melody_encoder_decoder" : ""));
  }
  CONTINUO_ASSIGN_OR_RETURN(const NetworkShape shape,
                            InferNetworkShape(tensors, path));
  Hparams& hparams = config->hparams;
  CONTINUO_RETURN_IF_ERROR(
      Annotate(ParseHparams(source.hparams, &hparams), "--hparams"));
  if (shape.attention && hparams.attn_length == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        ": the model has attention, and its window is not stored; give "
        "--hparams=attn_length=N as it was trained"));
  }
  hparams.rnn_layer_sizes = shape.layer_sizes;
  hparams.residual_connections = shape.residual_connections;
  hparams.attention_around_stack = shape.attention_around_stack;
  if (!shape.attention) hparams.attn_length = 0;
  CONTINUO_RETURN_IF_ERROR(CheckHparams(source, hparams, kShapeHparams, path));
  return *std::move(config);
}

// The stored configuration, after comparing the flags with it.
absl::StatusOr<ModelConfig> ConfigOfRun(const RunConfig& run,
                                        const ModelSource& source,
                                        Family family,
                                        const std::string& path) {
  const ModelConfig& stored = run.model;
  if (stored.family != family) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": a model of ", FamilyName(stored.family), "; generate with ",
        FamilyName(stored.family), "_generate"));
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<ModelConfig> given,
                            ConfigStated(source, family));
  if (given.has_value() && given->encoding != stored.encoding) {
    return absl::InvalidArgumentError(absl::StrCat(
        FlagOfConfig(source), ", but ", path, " was trained with ",
        stored.name.empty() ? "another encoding"
                            : absl::StrCat("--config=", stored.name),
        "; leave the flag out (the model knows it)"));
  }
  CONTINUO_RETURN_IF_ERROR(
      CheckHparams(source, stored.hparams, kStoredHparams, path));
  return stored;
}

struct Stored {
  std::string path;
  ModelConfig config;
  TensorMap tensors;
};

absl::StatusOr<Stored> ReadStored(const ModelSource& source, Family family) {
  Stored stored;
  if (!source.bundle_file.empty()) {
    stored.path = ExpandHome(source.bundle_file);
    CONTINUO_ASSIGN_OR_RETURN(Bundle bundle, ReadBundle(stored.path));
    CONTINUO_ASSIGN_OR_RETURN(
        bundle.tensors,
        WithCurrentNames(std::move(bundle.tensors), stored.path));
    CONTINUO_ASSIGN_OR_RETURN(stored.config,
                              ConfigOfBundle(bundle, source, family));
    stored.tensors = std::move(bundle.tensors);
    return stored;
  }
  stored.path = ExpandHome(source.checkpoint_file);
  if (!source.run_dir.empty()) {
    stored.path = JoinPath(ExpandHome(source.run_dir), "train");
    if (!IsDirectory(stored.path)) {
      return absl::NotFoundError(absl::StrCat(
          "--run_dir=", source.run_dir, ": there is no folder ", stored.path,
          "; name the folder that training was given as --run_dir"));
    }
  }
  const absl::StatusOr<RunConfig> run = ReadRunConfigBeside(stored.path);
  if (!run.ok() && !absl::IsNotFound(run.status())) return run.status();
  const std::string folder = IsDirectory(stored.path) ? stored.path : "";
  // While training goes on, the newest checkpoint may be removed between being
  // found and being read; then there is a newer one.
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    if (!folder.empty()) {
      CONTINUO_ASSIGN_OR_RETURN(stored.path, LatestCheckpoint(folder));
    }
    absl::StatusOr<TensorMap> tensors = ReadCheckpoint(stored.path);
    if (tensors.ok()) {
      stored.tensors = *std::move(tensors);
      break;
    }
    const bool gone = absl::IsNotFound(tensors.status()) && !folder.empty();
    if (!gone || i == kTries) return tensors.status();
  }
  CONTINUO_ASSIGN_OR_RETURN(
      stored.tensors, WithCurrentNames(std::move(stored.tensors), stored.path));
  if (run.ok()) {
    CONTINUO_ASSIGN_OR_RETURN(stored.config,
                              ConfigOfRun(*run, source, family, stored.path));
  } else {
    CONTINUO_ASSIGN_OR_RETURN(
        stored.config,
        ConfigOfShapes(stored.tensors, source, family, stored.path));
  }
  return stored;
}

}  // namespace

absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source, Family family,
                                      const Stream& stream) {
  CONTINUO_RETURN_IF_ERROR(CheckFlags(source));
  CONTINUO_ASSIGN_OR_RETURN(Stored stored, ReadStored(source, family));
  LoadedModel model;
  model.path = std::move(stored.path);
  model.config = std::move(stored.config);
  model.encoder = MakeEventEncoder(model.config.encoding);
  CONTINUO_ASSIGN_OR_RETURN(
      model.rnn,
      EventRnn::Create(MakeNetworkSpec(*model.encoder, model.config.hparams),
                       stream));
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<float> flat,
      FlatFromTensors(model.rnn->parameters(), stored.tensors, /*suffix=*/"",
                      model.path));
  CONTINUO_RETURN_IF_ERROR(model.rnn->SetWeights(flat));
  return model;
}

}  // namespace continuo
