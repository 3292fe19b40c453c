// A trained model from a run directory, a checkpoint or a bundle, ready to
// generate.

#ifndef CONTINUO_GENERATE_LOAD_MODEL_H_
#define CONTINUO_GENERATE_LOAD_MODEL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/events/event_encoder.h"
#include "models/config.h"
#include "models/event_rnn.h"
#include "runtime/device.h"

namespace continuo {

// Where the model is and what is said about it; the fields are the flags of
// the same names, empty = not given.
struct ModelSource {
  std::string run_dir;          // its newest checkpoint; before checkpoint_file
  std::string checkpoint_file;  // a prefix, a V1 file or a folder
  std::string bundle_file;      // a .mag file; excludes the other two
  std::string config;
  std::string default_config;  // the default of config, which is no statement
  std::string melody_encoder_decoder;  // melodies only; excludes config
  std::string hparams;
};

struct LoadedModel {
  std::string path;  // of the checkpoint or bundle
  ModelConfig config;
  std::unique_ptr<EventEncoder> encoder;
  std::unique_ptr<EventRnn> rnn;
};

// Loads the model. Encoding and hyperparameters come from what is stored with
// it (a bundle's generator id, the configuration beside a checkpoint) and from
// the shapes of its tensors; runs of the original store no configuration, so
// those need `config` or `melody_encoder_decoder`. What is given and disagrees
// with what is stored is an error that names both values; a batch size is
// always free. Errors name the flag or the file, and the remedy.
absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source, Family family,
                                      const Stream& stream);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_LOAD_MODEL_H_
