// SPDX-License-Identifier: Apache-2.0

// The model that a run trains or evaluates, from what is asked for and what the
// run has stored.

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

// How somebody describes a model; empty = not given.
struct RequestedModel {
  std::string config = "";
  std::string default_config = "";          // if `config` is this, it asks for
                                            // nothing
  std::string melody_encoder_decoder = "";  // instead of `config`
  std::string generator_id = "";
  std::string generator_description = "";
  std::string hparams = "";  // name=value,name=value
};

enum class JobKind {
  kTrain,     // may change anything but the shape of the network
  kEvaluate,  // may change the batch size alone
};

// The model that is asked for, or, for a run that has `stored` one, that model
// with the changes the job may make. InvalidArgument naming the fields if
// they are missing, contradict each other or disagree with what is stored (both
// values are named then). A new run that begins with the weights of
// `warm_start` has its network, and its configuration and hyperparameters where
// `requested` gives no others.
absl::StatusOr<ModelConfig> ResolveModel(
    Family family, const RequestedModel& requested,
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
