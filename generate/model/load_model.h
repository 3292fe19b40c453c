// SPDX-License-Identifier: Apache-2.0

// A trained model from a run directory, a checkpoint or a bundle, ready to
// generate.

#ifndef CONTINUO_GENERATE_MODEL_LOAD_MODEL_H_
#define CONTINUO_GENERATE_MODEL_LOAD_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/events/encoding/event_encoder.h"
#include "models/config/config.h"
#include "models/network/event_rnn.h"
#include "runtime/device/device.h"

namespace continuo {

// Where the model is and what is said about it; empty = not given.
struct ModelSource {
  // One of these three:
  std::string run_dir;          // its newest checkpoint
  std::string checkpoint_file;  // a prefix, a V1 file or a folder
  std::string bundle_file;      // a .mag file
  std::string config;
  std::string default_config;  // the default of config, which is no statement
  std::string melody_encoder_decoder;  // melodies only; excludes config
  std::string hparams;
};

struct LoadedModel {
  std::string path;  // of the checkpoint or bundle
  ModelConfig config;
  // With which its training was started, where that is known.
  std::optional<uint64_t> seed;
  std::unique_ptr<EventEncoder> encoder;
  std::unique_ptr<EventRnn> rnn;
};

// InvalidArgument that names the fields unless exactly one model is named, in
// one way.
absl::Status CheckModelSource(const ModelSource& source);

// Loads the model. Encoding and hyperparameters come from what is stored with
// it (models/model_file/model_file.h); runs of Magenta store no configuration,
// so those need `config` or `melody_encoder_decoder`. What is given and
// disagrees with what is stored is an error that names both values; a batch
// size is always free. Errors name the field or the file, and the remedy. A
// checkpoint that no step has changed yet is warned about.
absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source, Family family,
                                      const Stream& stream);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_MODEL_LOAD_MODEL_H_
