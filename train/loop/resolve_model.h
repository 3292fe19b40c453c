// The model that a run trains or evaluates, from flags and from what the run
// has stored.

#ifndef CONTINUO_TRAIN_LOOP_RESOLVE_MODEL_H_
#define CONTINUO_TRAIN_LOOP_RESOLVE_MODEL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "data/records/sequence_example.h"
#include "models/config/config.h"
#include "models/config/run_config.h"
#include "models/model_file/model_file.h"

namespace continuo {

// The flags that describe a model, as given; empty = not given.
struct ModelFlags {
  std::string config = "";                  // --config
  std::string default_config = "";          // the default of --config
  std::string melody_encoder_decoder = "";  // --melody_encoder_decoder
  std::string generator_id = "";            // --generator_id
  std::string generator_description = "";   // --generator_description
  std::string hparams = "";                 // --hparams
};

enum class JobKind {
  kTrain,     // may change anything but the shape of the network
  kEvaluate,  // may change the batch size alone
};

// The model that the flags describe, or, for a run that has `stored` one, that
// model with the changes the job may make. InvalidArgument naming the flags if
// they are missing, contradict each other or disagree with what is stored (both
// values are named then). A new run that begins with the weights of
// `warm_start` has its network, and its configuration and hyperparameters where
// the flags give no others.
absl::StatusOr<ModelConfig> ResolveModel(
    Family family, const ModelFlags& flags,
    const std::optional<RunConfig>& stored, JobKind job,
    const std::optional<ModelFile>& warm_start = std::nullopt);

// The folders of a run.
std::string TrainDir(const std::string& run_dir);
std::string EvalDir(const std::string& run_dir);

// The configuration stored in the run, if there is one.
absl::StatusOr<std::optional<RunConfig>> StoredRunConfig(
    const std::string& run_dir);

// The format of the examples of a model.
ExampleFormat ExampleFormatOf(const ModelConfig& model);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_RESOLVE_MODEL_H_
