// SPDX-License-Identifier: Apache-2.0

#include "models/model_file/model_file.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/safetensors.h"
#include "models/config/cells.h"
#include "models/model_file/detect_architecture.h"
#include "models/model_file/tf_variable_names.h"
#include "models/network/network.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// Meta graphs of trainings are a few MB.
constexpr int64_t kMaxMetaGraphBytes = int64_t{1} << 28;

// A StatedModel understood.
struct Statement {
  std::optional<ModelConfig> config;  // none: nothing is said
  std::string config_text;            // for messages: "`config`=basic_rnn"
  std::string hparams;
};

// `knows`: the file tells its configuration, and a default is no statement
// against it.
absl::StatusOr<Statement> Understand(const StatedModel& stated, Family family,
                                     bool knows) {
  Statement statement;
  statement.hparams = stated.hparams;
  if (!stated.melody_encoder_decoder.empty()) {
    statement.config_text = absl::StrCat("`melody_encoder_decoder`=",
                                         stated.melody_encoder_decoder);
    CONTINUO_ASSIGN_OR_RETURN(
        statement.config,
        MelodyEncoderDecoderConfig(stated.melody_encoder_decoder));
  } else if (!stated.config.empty() &&
             !(knows && stated.config == stated.default_config)) {
    statement.config_text = absl::StrCat("`config`=", stated.config);
    CONTINUO_ASSIGN_OR_RETURN(statement.config,
                              FindConfig(family, stated.config));
  }
  return statement;
}

// What the shapes of a network say.
constexpr absl::string_view kShapeHparams[] = {
    "rnn_layer_sizes", "attn_length", "residual_connections",
    "attention_around_stack", "cell"};
// Everything that is stored, the batch size (which is free) left out, and
// use_cudnn, which changes nothing.
constexpr absl::string_view kStoredHparams[] = {
    "rnn_layer_sizes",        "attn_length", "residual_connections",
    "attention_around_stack", "cell",        "dropout_keep_prob",
    "learning_rate",          "clip_norm"};

std::string MetaGraphPath(const ModelFile& file) {
  return absl::StrCat(file.path, ".meta");
}

// Where the configuration stored with a checkpoint stands, for messages.
std::string RunConfigPath(const ModelFile& file) {
  if (FileExists(file.path)) {
    const auto mapped = MappedFile::Open(file.path);
    if (mapped.ok() && LooksLikeSafetensors((*mapped)->bytes())) {
      return absl::StrCat(file.path, ": ", kSafetensorsRunConfig);
    }
  }
  return JoinPath(DirName(file.path), kRunConfigFile);
}

// The attention window of the meta graph; none if there is no such graph or
// (where it is that of a training) it does not tell. That of a bundle must,
// where its model is to be used.
absl::StatusOr<std::optional<int>> Window(const ModelFile& file,
                                          const NetworkShape& shape,
                                          Agreement agreement) {
  if (!shape.attention) return std::optional<int>();
  const auto window = DetectAttentionLength(
      file.metagraph, shape, file.is_bundle ? file.path : MetaGraphPath(file));
  if (window.ok()) return std::optional<int>(*window);
  if (file.is_bundle && agreement == Agreement::kSameModel) {
    return window.status();
  }
  return std::optional<int>();
}

// The inputs and classes of a network.
struct Sizes {
  int64_t inputs = 0;
  int64_t classes = 0;

  friend bool operator==(const Sizes&, const Sizes&) = default;
};

Sizes SizesOf(const EncodingSpec& encoding) {
  const std::unique_ptr<EventEncoder> encoder = MakeEventEncoder(encoding);
  return {encoder->input_size(), encoder->num_classes()};
}

std::string SizesText(const Sizes& sizes) {
  return absl::StrCat(sizes.inputs, " inputs and ", sizes.classes, " classes");
}

// "; --config=attention_rnn fits": the configurations of such networks.
std::string Fitting(Family family, const Sizes& sizes) {
  std::string names;
  for (const ModelConfig& config : Configs(family)) {
    if (!(SizesOf(config.encoding) == sizes)) continue;
    absl::StrAppend(&names,
                    names.empty() ? "; its tensors fit `config`=" : " or ",
                    config.name);
  }
  return names;
}

absl::Status WrongFamily(const ModelFile& file, Family family) {
  const absl::string_view name = FamilyName(family);
  return absl::InvalidArgumentError(
      absl::StrCat(file.path, ": a model of ", name, "; use ", name,
                   "_generate, ", name, "_score or ", name, "_train"));
}

// Whether what is said about the model is of another configuration than
// `config`, and may be no other.
absl::StatusOr<bool> IsOther(const ModelFile& file, const ModelConfig& config,
                             const Statement& stated, Agreement agreement,
                             const Sizes& sizes) {
  if (!stated.config.has_value() ||
      stated.config->encoding == config.encoding) {
    return false;
  }
  if (agreement == Agreement::kSameNetwork &&
      SizesOf(stated.config->encoding) == sizes) {
    return true;
  }
  if (agreement == Agreement::kSameModel && file.is_bundle) {
    LogWarn(stated.config_text, " is ignored: ", file.path, " is a bundle of ",
            config.id);
    return false;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      stated.config_text, ", but ", file.path, " was trained with ",
      config.name.empty() ? "another encoding"
                          : absl::StrCat("`config`=", config.name),
      "; leave it out (the model knows it)"));
}

// An error if a hyperparameter of `names` that is given in --hparams differs
// from the one of the stored model.
absl::Status CheckHparams(const ModelFile& file, const Statement& stated,
                          const Hparams& stored, Agreement agreement) {
  Hparams given = stored;
  CONTINUO_RETURN_IF_ERROR(
      Annotate(ParseHparams(stated.hparams, &given), file.path));
  const bool all = file.run.has_value() && agreement == Agreement::kSameModel;
  const auto names = all ? absl::Span<const absl::string_view>(kStoredHparams)
                         : absl::Span<const absl::string_view>(kShapeHparams);
  std::string want, have;
  for (absl::string_view name : names) {
    if (HparamValue(given, name) == HparamValue(stored, name)) continue;
    const absl::string_view comma = want.empty() ? "" : ",";
    absl::StrAppend(&want, comma, name, "=", HparamValue(given, name));
    absl::StrAppend(&have, comma, name, "=", HparamValue(stored, name));
  }
  if (want.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "`hparams` says ", want, ", but ", file.path, " was trained with ", have,
      "; leave it out of `hparams` (the model knows it)"));
}

// The hyperparameters that the tensors tell; the window is not among them.
void TakeShape(const NetworkShape& shape, Hparams* hparams) {
  hparams->rnn_layer_sizes = shape.layer_sizes;
  hparams->residual_connections = shape.residual_connections;
  hparams->attention_around_stack = shape.attention_around_stack;
  hparams->cell = shape.cell;
  if (!shape.attention) hparams->attn_length = 0;
}

// The window: as the graph has it, else as --hparams, else as the
// configuration.
absl::Status TakeWindow(const ModelFile& file, const NetworkShape& shape,
                        const std::optional<int>& window,
                        const Statement& stated, Hparams* hparams) {
  if (!shape.attention) return absl::OkStatus();
  if (window.has_value()) {
    hparams->attn_length = *window;
    return absl::OkStatus();
  }
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            HparamNames(stated.hparams));
  if (std::find(names.begin(), names.end(), "attn_length") != names.end()) {
    Hparams given;
    CONTINUO_RETURN_IF_ERROR(
        Annotate(ParseHparams(stated.hparams, &given), file.path));
    if (given.attn_length > 0) {
      hparams->attn_length = given.attn_length;
      return absl::OkStatus();
    }
  }
  if (hparams->attn_length == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        file.path,
        ": the model has attention, and its window is not stored; give "
        "`hparams`=attn_length=N as it was trained"));
  }
  LogWarn(file.path,
          ": nothing in it or beside it tells its attention window; "
          "taking attn_length=",
          hparams->attn_length, " of the configuration");
  return absl::OkStatus();
}

// An error if the stored hyperparameters are not those of the tensors.
absl::Status CheckStored(const ModelFile& file, const NetworkShape& shape,
                         const std::optional<int>& window,
                         const Hparams& stored) {
  Hparams real = stored;
  TakeShape(shape, &real);
  std::string against = file.path;
  if (shape.attention && stored.attn_length == 0) {
    return absl::DataLossError(absl::StrCat(
        RunConfigPath(file), ": hparams: attn_length=0, but ", file.path,
        " has the tensors of attention; do they belong together?"));
  }
  if (window.has_value() && *window != stored.attn_length) {
    real.attn_length = *window;
    against = MetaGraphPath(file);
  }
  for (absl::string_view name : kShapeHparams) {
    if (HparamValue(real, name) == HparamValue(stored, name)) continue;
    return absl::DataLossError(absl::StrCat(
        RunConfigPath(file), ": hparams: ", name, "=",
        HparamValue(stored, name), ", but ", against, " has ", name, "=",
        HparamValue(real, name), "; do they belong together?"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelConfig> ConfigOfRun(const ModelFile& file, Family family,
                                        const Statement& stated,
                                        Agreement agreement,
                                        const NetworkShape& shape,
                                        const std::optional<int>& window) {
  ModelConfig config = file.run->model;
  if (config.family != family) return WrongFamily(file, config.family);
  const Sizes sizes = {shape.input_size, shape.num_classes};
  if (const Sizes own = SizesOf(config.encoding); !(own == sizes)) {
    return absl::DataLossError(absl::StrCat(
        RunConfigPath(file), ": encoding: of ", SizesText(own), ", but ",
        file.path, " has ", SizesText(sizes), "; do they belong together?"));
  }
  CONTINUO_RETURN_IF_ERROR(CheckStored(file, shape, window, config.hparams));
  CONTINUO_ASSIGN_OR_RETURN(const bool other,
                            IsOther(file, config, stated, agreement, sizes));
  if (other) {
    ModelConfig named = *stated.config;
    named.hparams = config.hparams;
    config = std::move(named);
  }
  CONTINUO_RETURN_IF_ERROR(
      CheckHparams(file, stated, config.hparams, agreement));
  return config;
}

// The configuration of a bundle by its id; it may have been written under
// another name, which --config then explains.
absl::StatusOr<ModelConfig> ConfigOfId(const ModelFile& file, Family family,
                                       const Statement& stated) {
  std::string known;
  for (const ModelConfig& config : Configs(family)) {
    // The compact configuration has the id of the one it encodes like, which
    // comes first.
    if (config.id == file.generator_id) return config;
    absl::StrAppend(&known, known.empty() ? "" : ", ", config.id);
  }
  if (stated.config.has_value()) return *stated.config;
  for (const Family other :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const ModelConfig& config : Configs(other)) {
      if (config.id == file.generator_id) return WrongFamily(file, other);
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      file.path, ": generator id \"", file.generator_id, "\" is not one of ",
      FamilyName(family), " (", known,
      "); if it is such a model under another name, say which with "
      "`config`"));
}

absl::StatusOr<ModelConfig> ConfigOfBundle(const ModelFile& file, Family family,
                                           const Statement& stated,
                                           Agreement agreement,
                                           const NetworkShape& shape,
                                           const std::optional<int>& window) {
  CONTINUO_ASSIGN_OR_RETURN(ModelConfig config,
                            ConfigOfId(file, family, stated));
  const Sizes sizes = {shape.input_size, shape.num_classes};
  CONTINUO_ASSIGN_OR_RETURN(const bool other,
                            IsOther(file, config, stated, agreement, sizes));
  if (other) config = *stated.config;
  config.first_events = file.first_events;
  TakeShape(shape, &config.hparams);
  CONTINUO_RETURN_IF_ERROR(
      TakeWindow(file, shape, window, stated, &config.hparams));
  CONTINUO_RETURN_IF_ERROR(
      CheckHparams(file, stated, config.hparams, agreement));
  return config;
}

// The configuration of a checkpoint without a stored one (a run of Magenta):
// what is said, corrected by tensors and graph.
absl::StatusOr<ModelConfig> ConfigOfStatement(
    const ModelFile& file, Family family, const Statement& stated,
    Agreement agreement, const NetworkShape& shape,
    const std::optional<int>& window) {
  const Sizes sizes = {shape.input_size, shape.num_classes};
  const std::string fitting = Fitting(family, sizes);
  if (!stated.config.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        file.path,
        ": no configuration is stored beside this checkpoint; say how it was "
        "trained with `config`",
        family == Family::kMelody ? " or `melody_encoder_decoder`" : "",
        fitting));
  }
  ModelConfig config = *stated.config;
  if (const Sizes own = SizesOf(config.encoding); !(own == sizes)) {
    return absl::InvalidArgumentError(absl::StrCat(
        stated.config_text, " has networks of ", SizesText(own), ", but ",
        file.path, " holds one of ", SizesText(sizes), fitting));
  }
  Hparams& hparams = config.hparams;
  const int window_of_config = hparams.attn_length;
  CONTINUO_RETURN_IF_ERROR(
      Annotate(ParseHparams(stated.hparams, &hparams), file.path));
  TakeShape(shape, &hparams);
  if (shape.attention) hparams.attn_length = window_of_config;
  CONTINUO_RETURN_IF_ERROR(TakeWindow(file, shape, window, stated, &hparams));
  CONTINUO_RETURN_IF_ERROR(CheckHparams(file, stated, hparams, agreement));
  return config;
}

// What a bias begins with.
float InitialBias(absl::string_view name) {
  for (const CellKind& kind : Cells()) {
    if (absl::EndsWith(name, absl::StrCat("/", kind.scope, "bias"))) {
      return kind.initial_bias;
    }
  }
  return 0;
}

}  // namespace

absl::StatusOr<ModelFile> ReadBundleModel(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(Bundle bundle, ReadBundle(path));
  ModelFile file;
  file.path = path;
  file.is_bundle = true;
  file.generator_id = std::move(bundle.id);
  file.first_events = std::move(bundle.first_events);
  file.metagraph = std::move(bundle.metagraph);
  CONTINUO_ASSIGN_OR_RETURN(file.tensors,
                            WithCurrentNames(std::move(bundle.tensors), path));
  return file;
}

absl::StatusOr<ModelFile> ReadCheckpointModel(const std::string& path) {
  ModelFile file;
  const std::string folder = CheckpointFolder(path);
  TensorMap tensors;
  if (!folder.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(NamedCheckpoint newest,
                              ReadNewestCheckpoint(folder));
    file.path = std::move(newest.prefix);
    tensors = std::move(newest.tensors);
  } else {
    CONTINUO_ASSIGN_OR_RETURN(tensors, ReadCheckpoint(path));
    file.path = CheckpointPrefix(path);
  }
  CONTINUO_ASSIGN_OR_RETURN(file.tensors,
                            WithCurrentNames(std::move(tensors), file.path));
  absl::StatusOr<RunConfig> run =
      ReadRunConfigBeside(folder.empty() ? path : folder);
  if (run.ok()) {
    file.run = *std::move(run);
  } else if (!absl::IsNotFound(run.status())) {
    return run.status();
  }
  if (FileExists(MetaGraphPath(file))) {
    CONTINUO_ASSIGN_OR_RETURN(
        file.metagraph, ReadFile(MetaGraphPath(file), kMaxMetaGraphBytes));
  }
  return file;
}

absl::StatusOr<ModelConfig> ConfigOfModel(const ModelFile& file, Family family,
                                          const StatedModel& said,
                                          Agreement agreement) {
  CONTINUO_ASSIGN_OR_RETURN(
      const Statement stated,
      Understand(said, family, file.run.has_value() || file.is_bundle));
  CONTINUO_ASSIGN_OR_RETURN(const NetworkShape shape,
                            DetectArchitecture(file.tensors, file.path));
  CONTINUO_ASSIGN_OR_RETURN(const std::optional<int> window,
                            Window(file, shape, agreement));
  absl::StatusOr<ModelConfig> config =
      file.run.has_value()
          ? ConfigOfRun(file, family, stated, agreement, shape, window)
      : file.is_bundle
          ? ConfigOfBundle(file, family, stated, agreement, shape, window)
          : ConfigOfStatement(file, family, stated, agreement, shape, window);
  if (!config.ok()) return config;
  CONTINUO_RETURN_IF_ERROR(Annotate(CheckModelConfig(*config), file.path));
  const std::unique_ptr<EventEncoder> encoder =
      MakeEventEncoder(config->encoding);
  CONTINUO_RETURN_IF_ERROR(CheckTensorShapes(
      NetworkParameters(MakeNetworkSpec(*encoder, config->hparams)),
      file.tensors, /*suffix=*/"", file.path));
  return config;
}

bool IsUntrained(const TensorMap& tensors) {
  const auto step = tensors.find("global_step");
  if (step == tensors.end() || step->second.ints.size() != 1 ||
      step->second.ints[0] != 0) {
    return false;
  }
  // A run that was begun with trained weights has some at step 0.
  for (const auto& [name, tensor] : tensors) {
    if (BaseName(name) != "bias" && BaseName(name) != "biases") continue;
    const float initial = InitialBias(name);
    if (!std::all_of(tensor.floats.begin(), tensor.floats.end(),
                     [&](float value) { return value == initial; })) {
      return false;
    }
  }
  return true;
}

}  // namespace continuo
