// SPDX-License-Identifier: Apache-2.0

// export_safetensors: a trained network for Python, in one safetensors file.

#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "generate/commands/model_flags.h"
#include "generate/model/detect_family.h"
#include "generate/model/load_model.h"
#include "models/checkpoint/safetensors.h"
#include "models/config/run_config.h"
#include "models/network/weights.h"
#include "runtime/base/counted.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/command/command_line.h"
#include "runtime/command/log_flags.h"
#include "runtime/device/device.h"
#include "runtime/device/version.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, config, "",
          "Configuration the model was trained with. Only needed for "
          "Magenta checkpoints, which do not store it");
ABSL_FLAG(std::string, melody_encoder_decoder, "",
          "onehot, lookback or key: in place of --config");
ABSL_FLAG(std::string, output, "", "File to write (.safetensors). Required");

namespace continuo {
namespace {

constexpr char kAbout[] =
    R"(Writes the weights of a trained network as a safetensors file.

  export_safetensors --run_dir=RUN --output=model.safetensors
  export_safetensors --bundle_file=model.mag --output=model.safetensors

In Python, safetensors.numpy.load_file("model.safetensors") then gives a
dictionary of arrays under the names of their TensorFlow variables. The
metadata hold "family", "config", "hparams", "generator_id" and
"generator_description", and as "continuo.json" all that is needed to load the
network again: --checkpoint_file=model.safetensors of the generate and score
commands, and --warm_start_bundle_file of the train commands, take the file as
they take a checkpoint.)";

CommandHelp Help() {
  return {.about = kAbout,
          .own_file = "generate/commands/export_safetensors_main.cc",
          .groups =
              {{"Required", HelpLevel::kRequired, {"output=FILE.safetensors"}},
               {"The model, one of",
                HelpLevel::kCommon,
                {"run_dir=FOLDER", "bundle_file=FILE.mag",
                 "checkpoint_file=CHECKPOINT"}},
               {"Advanced",
                HelpLevel::kMore,
                {"log=LEVEL", "config=NAME", "melody_encoder_decoder=NAME",
                 "hparams=NAME=VALUE,..."}}},
          .after =
              "Exit status: 0 when the file is written; 1 for wrong flags, a "
              "model that cannot\nbe read, or a failed write."};
}

absl::Status Run() {
  CONTINUO_RETURN_IF_ERROR(SetLogLevelOfFlags());
  const std::string output = ExpandHome(absl::GetFlag(FLAGS_output));
  if (output.empty()) {
    return absl::InvalidArgumentError(
        "--output is required: the .safetensors file to write");
  }
  CONTINUO_RETURN_IF_ERROR(
      CheckEnding({"output", output}, "a safetensors file", {".safetensors"}));
  CONTINUO_RETURN_IF_ERROR(
      CheckDistinctPaths({{"output", output}}, ModelPathsOfFlags()));
  ModelSource source = ModelSourceOfFlags();
  source.config = absl::GetFlag(FLAGS_config);
  source.melody_encoder_decoder = absl::GetFlag(FLAGS_melody_encoder_decoder);
  CONTINUO_RETURN_IF_ERROR(CheckModelSource(source));
  CONTINUO_ASSIGN_OR_RETURN(const Family family, DetectFamily(source));
  ThreadPool pool(1);
  CONTINUO_ASSIGN_OR_RETURN(
      const LoadedModel model,
      LoadModel(source, family, {.device = {}, .pool = &pool}));
  std::vector<float> flat(model.rnn->flat_size());
  CONTINUO_RETURN_IF_ERROR(model.rnn->GetWeights(absl::MakeSpan(flat)));
  Safetensors contents;
  AddFlatToTensors(model.rnn->parameters(), /*suffix=*/"", flat,
                   &contents.tensors);
  const ModelConfig& config = model.config;
  contents.metadata = {
      {"family", std::string(FamilyName(config.family))},
      {"config", config.name},
      {"hparams", HparamsToString(config.hparams)},
      {"generator_id", config.id},
      {"generator_description", config.description},
      {kSafetensorsRunConfig, RunConfigToJson({.model = config,
                                               .seed = model.seed,
                                               .version = ProgramVersion()})}};
  const std::string bytes = SerializeSafetensors(contents);
  CONTINUO_RETURN_IF_ERROR(WriteFileAtomically(output, bytes));
  LogInfo("Wrote ", Counted(contents.tensors.size(), "tensor"), " of ",
          model.path, " to ", output, " (", bytes.size(), " bytes)");
  return absl::OkStatus();
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::RunCommand(argc, argv, continuo::Help(), continuo::Run);
}
