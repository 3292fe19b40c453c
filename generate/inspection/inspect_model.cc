// SPDX-License-Identifier: Apache-2.0

// Checkpoints, bundles, safetensors files, run folders.

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "generate/inspection/inspect.h"
#include "models/checkpoint/bundle.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/safetensors.h"
#include "models/config/run_config.h"
#include "models/model_file/detect_architecture.h"
#include "models/model_file/tf_variable_names.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {
namespace {

// Adam's variables, which are no weights.
bool IsOptimizerState(absl::string_view name) {
  return absl::EndsWith(name, "/Adam") || absl::EndsWith(name, "/Adam_1") ||
         absl::EndsWith(name, "beta1_power") ||
         absl::EndsWith(name, "beta2_power");
}

Facts TensorFacts(const std::string& name, const HostTensor& tensor) {
  Facts facts;
  facts["name"] = name;
  facts["type"] = tensor.dtype == DType::kFloat32 ? "float32" : "int64";
  facts["shape"] = absl::StrCat("[", absl::StrJoin(tensor.shape, ", "), "]");
  if (tensor.dtype != DType::kFloat32) {
    if (tensor.ints.size() == 1) facts["smallest"] = tensor.ints[0];
    return facts;
  }
  double squares = 0;
  int64_t not_finite = 0;
  for (const float value : tensor.floats) {
    squares += static_cast<double>(value) * value;
    if (!std::isfinite(value)) ++not_finite;
  }
  if (tensor.floats.empty()) return facts;
  const auto [low, high] =
      std::minmax_element(tensor.floats.begin(), tensor.floats.end());
  facts["smallest"] = *low;
  facts["largest"] = *high;
  facts["rms"] = std::sqrt(squares / static_cast<double>(tensor.floats.size()));
  if (not_finite > 0) facts["not_finite"] = not_finite;
  return facts;
}

void AddTensors(const TensorMap& tensors, Facts* facts) {
  int64_t weights = 0;
  bool adam = false;
  for (const auto& [name, tensor] : tensors) {
    if (IsOptimizerState(name)) {
      adam = true;
    } else if (tensor.dtype == DType::kFloat32) {
      weights += static_cast<int64_t>(tensor.floats.size());
    }
  }
  const auto step = tensors.find("global_step");
  if (step != tensors.end() && step->second.ints.size() == 1) {
    (*facts)["global_step"] = step->second.ints[0];
  }
  (*facts)["weights"] = weights;
  (*facts)["optimizer_state"] = adam;
  Facts& list = (*facts)["tensors"] = Facts::array();
  for (const auto& [name, tensor] : tensors) {
    list.push_back(TensorFacts(name, tensor));
  }
}

// With which events the training data began, and how often, where it is known.
void AddFirstEvents(const FirstEvents& first_events, Facts* facts) {
  if (first_events.empty()) return;
  Facts& list = (*facts)["first_events"] = Facts::object();
  for (const auto& [event, count] : first_events) {
    list[absl::StrCat(event)] = count;
  }
}

void AddConfig(const RunConfig& config, Facts* facts) {
  (*facts)["family"] = std::string(FamilyName(config.model.family));
  (*facts)["config"] = config.model.name;
  (*facts)["hparams"] = HparamsToString(config.model.hparams);
  (*facts)["generator_id"] = config.model.id;
  AddFirstEvents(config.model.first_events, facts);
  if (config.seed.has_value()) (*facts)["seed"] = *config.seed;
  (*facts)["version"] = config.version;
}

Facts NewFacts(const std::string& path, const std::string& kind) {
  Facts facts;
  facts["file"] = path;
  facts["kind"] = kind;
  return facts;
}

}  // namespace

absl::StatusOr<Facts> InspectCheckpoint(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const TensorMap tensors, ReadCheckpoint(path));
  Facts facts = NewFacts(path, FileExists(absl::StrCat(path, ".index"))
                                   ? "checkpoint, version 2"
                                   : "checkpoint, version 1");
  const absl::StatusOr<RunConfig> config = ReadRunConfigBeside(path);
  if (config.ok()) {
    AddConfig(*config, &facts);
  } else if (!absl::IsNotFound(config.status())) {
    return config.status();
  }
  AddTensors(tensors, &facts);
  return facts;
}

absl::StatusOr<Facts> InspectFolder(const std::string& path) {
  const std::string train = JoinPath(path, "train");
  const std::string dir =
      FileExists(JoinPath(train, "checkpoint")) ? train : path;
  if (!FileExists(JoinPath(dir, "checkpoint"))) {
    return absl::NotFoundError(absl::StrCat(
        path,
        ": neither a run folder nor one of checkpoints: there is no file "
        "\"checkpoint\" in it or in ",
        train));
  }
  CONTINUO_ASSIGN_OR_RETURN(const CheckpointState state,
                            ReadCheckpointState(dir));
  CONTINUO_ASSIGN_OR_RETURN(const NamedCheckpoint readable,
                            ReadNewestCheckpoint(dir));
  const std::string& latest = readable.prefix;
  CONTINUO_ASSIGN_OR_RETURN(const Facts newest, InspectCheckpoint(latest));
  Facts facts =
      NewFacts(path, dir == train ? "run folder" : "folder of checkpoints");
  facts["newest"] = latest;
  for (const auto& [key, value] : newest.items()) {
    if (key != "file" && key != "kind" && key != "tensors") facts[key] = value;
  }
  Facts& checkpoints = facts["checkpoints"] = Facts::array();
  for (const std::string& listed : state.all) {
    const std::string prefix = JoinPath(dir, BaseName(listed));
    checkpoints.push_back(
        {{"checkpoint", std::string(BaseName(listed))},
         {"exists", FileExists(absl::StrCat(prefix, ".index"))}});
  }
  for (const std::string below : {"train", "eval"}) {
    const auto events =
        Glob(JoinPath(path, absl::StrCat(below, "/events.out.tfevents.*")));
    if (!events.ok()) continue;
    for (const std::string& file : *events) {
      facts["event_files"].push_back(file);
    }
  }
  facts["tensors"] = newest["tensors"];
  return facts;
}

absl::StatusOr<Facts> InspectBundle(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const Bundle bundle, ReadBundle(path));
  Facts facts = NewFacts(path, "bundle");
  facts["generator_id"] = bundle.id;
  facts["generator_description"] = bundle.description;
  facts["bundle_description"] = bundle.bundle_description;
  facts["metagraph_bytes"] = bundle.metagraph.size();
  AddFirstEvents(bundle.first_events, &facts);
  // Tensors are shown under their own names.
  CONTINUO_ASSIGN_OR_RETURN(const TensorMap current,
                            WithCurrentNames(bundle.tensors, path));
  const auto shape = DetectArchitecture(current, path);
  if (shape.ok()) {
    facts["rnn_layer_sizes"] = shape->layer_sizes;
    facts["residual_connections"] = shape->residual_connections;
    if (shape->attention_around_stack) facts["attention_around_stack"] = true;
    if (shape->cell != Cell::kLstm) {
      facts["cell"] = std::string(KindOf(shape->cell).name);
    }
    facts["attn_length"] = 0;
    if (shape->attention) {
      const auto length = DetectAttentionLength(bundle.metagraph, *shape, path);
      facts["attn_length"] = length.ok() ? Facts(*length) : Facts("unknown");
    }
  }
  AddTensors(bundle.tensors, &facts);
  return facts;
}

absl::StatusOr<Facts> InspectSafetensors(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file,
                            MappedFile::Open(path));
  const FileWatch watch(path, file->bytes());
  CONTINUO_ASSIGN_OR_RETURN(
      const Safetensors contents,
      watch.IfUnchanged(ParseSafetensors(file->bytes(), path)));
  Facts facts = NewFacts(path, "safetensors");
  Facts metadata = Facts::object();
  for (const auto& [key, value] : contents.metadata) {
    // The keys are different ones: pushed back, as ordered_json searches.
    if (key != kSafetensorsRunConfig) {
      metadata.get_ref<Facts::object_t&>().emplace_back(key, value);
    }
  }
  if (!metadata.empty()) facts["metadata"] = std::move(metadata);
  AddTensors(contents.tensors, &facts);
  return facts;
}

}  // namespace continuo
