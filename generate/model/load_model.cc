// SPDX-License-Identifier: Apache-2.0

#include "generate/model/load_model.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/model_file/model_file.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

absl::StatusOr<ModelFile> ReadModel(const ModelSource& source) {
  if (!source.bundle_file.empty()) {
    return ReadBundleModel(ExpandHome(source.bundle_file));
  }
  if (source.run_dir.empty()) {
    return ReadCheckpointModel(ExpandHome(source.checkpoint_file));
  }
  const std::string train = JoinPath(ExpandHome(source.run_dir), "train");
  if (!IsDirectory(train)) {
    return absl::NotFoundError(absl::StrCat(
        "`run_dir`=", source.run_dir, ": there is no folder ", train,
        "; name the folder that training was given as `run_dir`"));
  }
  return ReadCheckpointModel(train);
}

}  // namespace

absl::Status CheckModelSource(const ModelSource& source) {
  std::vector<std::string> given;
  for (const auto& [field, value] :
       {std::pair("`run_dir`", &source.run_dir),
        {"`checkpoint_file`", &source.checkpoint_file},
        {"`bundle_file`", &source.bundle_file}}) {
    if (!value->empty()) given.emplace_back(field);
  }
  if (given.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(given[0], " and ", given[1],
                     " are both given; name the model with one of them"));
  }
  if (given.empty()) {
    return absl::InvalidArgumentError(
        "no model is given; use `run_dir`=FOLDER of a training run, "
        "`checkpoint_file`=FILE or `bundle_file`=FILE.mag");
  }
  if (!source.config.empty() && !source.melody_encoder_decoder.empty()) {
    return absl::InvalidArgumentError(
        "`config` and `melody_encoder_decoder` are both given; use one of "
        "them");
  }
  return absl::OkStatus();
}

absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source, Family family,
                                      const Stream& stream) {
  CONTINUO_RETURN_IF_ERROR(CheckModelSource(source));
  CONTINUO_ASSIGN_OR_RETURN(const ModelFile file, ReadModel(source));
  LoadedModel model;
  model.path = file.path;
  if (file.run.has_value()) model.seed = file.run->seed;
  CONTINUO_ASSIGN_OR_RETURN(
      model.config,
      ConfigOfModel(file, family,
                    {.config = source.config,
                     .default_config = source.default_config,
                     .melody_encoder_decoder = source.melody_encoder_decoder,
                     .hparams = source.hparams},
                    Agreement::kSameModel));
  model.encoder = MakeEventEncoder(model.config.encoding);
  CONTINUO_ASSIGN_OR_RETURN(
      model.rnn,
      EventRnn::Create(MakeNetworkSpec(*model.encoder, model.config.hparams),
                       stream));
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<float> flat,
      FlatFromTensors(model.rnn->parameters(), file.tensors, /*suffix=*/"",
                      model.path));
  CONTINUO_RETURN_IF_ERROR(model.rnn->SetWeights(flat));
  if (IsUntrained(file.tensors)) {
    LogWarn(model.path, ": step 0: the network has learned nothing yet");
  }
  return model;
}

}  // namespace continuo
