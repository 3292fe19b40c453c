// SPDX-License-Identifier: Apache-2.0

// A trained network as files hold it: a bundle, a checkpoint, a folder of
// checkpoints or a safetensors file, and what it tells of its configuration.

#ifndef CONTINUO_MODELS_MODEL_FILE_MODEL_FILE_H_
#define CONTINUO_MODELS_MODEL_FILE_MODEL_FILE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "models/checkpoint/checkpoint.h"
#include "models/config/config.h"
#include "models/config/run_config.h"

namespace continuo {

struct ModelFile {
  std::string path;  // of the bundle, the file, or the checkpoint's prefix
  bool is_bundle = false;
  std::string generator_id;      // of a bundle
  FirstEvents first_events;      // of a bundle
  TensorMap tensors;             // under current names
  std::optional<RunConfig> run;  // continuo.json beside or inside it
  std::string metagraph;         // serialized; empty = there is none
};

// Reads a bundle (.mag).
absl::StatusOr<ModelFile> ReadBundleModel(const std::string& path);

// Reads a trained model by any of its names: a checkpoint (its prefix, or the
// name of one of its files), a V1 file, a safetensors file, a folder of
// checkpoints (the newest one that can be read) or the folder of a run; with it
// the continuo.json and the meta graph that lie beside it.
absl::StatusOr<ModelFile> ReadCheckpointModel(const std::string& path);

// What is said about a model besides its file; empty = not given.
struct StatedModel {
  std::string config = "";
  std::string default_config = "";  // if `config` is this, it says nothing
  std::string melody_encoder_decoder = "";  // melodies only; excludes config
  std::string hparams = "";
};

// How far what is said must agree with what is stored.
enum class Agreement {
  // The weights are used as they are: everything that was stored. A config
  // beside a bundle is warned about and ignored, as Magenta does.
  kSameModel,
  // They begin another training: the network alone. Configurations that share
  // a network (the compact one and the one it encodes like) may differ.
  kSameNetwork,
};

// The configuration of the model: what is stored with it (a bundle's generator
// id, continuo.json), else what is said about it, with the sizes that its
// tensors and its meta graph tell. Values that contradict each other are an
// error in one line that names both, before anything of their size is made.
absl::StatusOr<ModelConfig> ConfigOfModel(const ModelFile& file, Family family,
                                          const StatedModel& said,
                                          Agreement agreement);

// Whether the tensors are a checkpoint of step 0 whose biases are 0, too: no
// update has changed the network, and no trained one began it.
bool IsUntrained(const TensorMap& tensors);

}  // namespace continuo

#endif  // CONTINUO_MODELS_MODEL_FILE_MODEL_FILE_H_
