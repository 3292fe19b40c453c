// SPDX-License-Identifier: Apache-2.0

#include "generate/model/save_bundle.h"

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "models/checkpoint/bundle.h"
#include "models/metagraph/metagraph.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

absl::Status CheckRequest(const ModelSource& source,
                          const BundleRequest& request) {
  if (request.bundle_file.empty()) {
    return absl::InvalidArgumentError(
        "`save_generator_bundle` needs the file to write; give "
        "`bundle_file`=FILE.mag");
  }
  const FieldPath output = {"bundle_file", ExpandHome(request.bundle_file)};
  CONTINUO_RETURN_IF_ERROR(CheckEnding(output, "a bundle", {".mag"}));
  CONTINUO_RETURN_IF_ERROR(CheckDistinctPaths(
      {output}, {{"checkpoint_file", ExpandHome(source.checkpoint_file)}}));
  if (source.run_dir.empty() && source.checkpoint_file.empty()) {
    return absl::InvalidArgumentError(
        "`save_generator_bundle` makes a bundle of a trained model; give "
        "`run_dir`=FOLDER of a training run or `checkpoint_file`=FILE");
  }
  return absl::OkStatus();
}

// The batch size of --hparams if it is given there.
absl::StatusOr<int> BatchSize(const ModelSource& source,
                              const BundleRequest& request) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            HparamNames(source.hparams));
  if (!absl::c_linear_search(names, "batch_size")) return request.batch_size;
  Hparams hparams;
  CONTINUO_RETURN_IF_ERROR(
      Annotate(ParseHparams(source.hparams, &hparams), "`hparams`"));
  return hparams.batch_size;
}

}  // namespace

absl::Status SaveBundle(const ModelSource& source, const BundleRequest& request,
                        Family family, const Stream& stream) {
  CONTINUO_RETURN_IF_ERROR(CheckRequest(source, request));
  ModelSource checkpoint = source;
  checkpoint.bundle_file.clear();
  CONTINUO_ASSIGN_OR_RETURN(const LoadedModel model,
                            LoadModel(checkpoint, family, stream));
  const std::string path = ExpandHome(request.bundle_file);
  if (!HasMetaGraph(model.rnn->spec())) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": a bundle holds a graph for Magenta, which has no cells of ",
        KindOf(model.rnn->spec().cell).name,
        "; use the model by `run_dir` or `checkpoint_file`, or write it with "
        "export_safetensors"));
  }

  Bundle bundle;
  bundle.id =
      request.generator_id.empty() ? model.config.id : request.generator_id;
  bundle.description = request.generator_description.empty()
                           ? model.config.description
                           : request.generator_description;
  bundle.bundle_description = request.bundle_description;
  bundle.first_events = model.config.first_events;
  if (bundle.id.empty()) {
    return absl::InvalidArgumentError(
        "the bundle needs the id of a generator, and a model of "
        "`melody_encoder_decoder` has none; give `generator_id`=NAME");
  }
  if (bundle.bundle_description.empty()) {
    LogWarn(path,
            ": no description; `bundle_description`=TEXT tells later users "
            "what this model is");
  }
  CONTINUO_ASSIGN_OR_RETURN(const int batch_size, BatchSize(source, request));
  std::vector<float> flat(model.rnn->flat_size());
  CONTINUO_RETURN_IF_ERROR(model.rnn->GetWeights(absl::MakeSpan(flat)));
  AddFlatToTensors(model.rnn->parameters(), /*suffix=*/"", flat,
                   &bundle.tensors);
  bundle.metagraph = BuildMetaGraph(
      model.rnn->spec(), {.batch_size = batch_size,
                          .index_inputs = model.encoder->index_inputs()});
  CONTINUO_RETURN_IF_ERROR(WriteBundle(path, bundle));
  LogInfo("Wrote ", path, ": bundle of ", bundle.id, " from ", model.path);
  return absl::OkStatus();
}

}  // namespace continuo
