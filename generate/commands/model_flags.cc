// SPDX-License-Identifier: Apache-2.0

#include "generate/commands/model_flags.h"

#include <string>

#include "absl/flags/flag.h"
#include "models/config/hparams.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, run_dir, "",
          "Run folder of a training (its --run_dir): the newest checkpoint is "
          "used, also while training is running");
ABSL_FLAG(std::string, checkpoint_file, "",
          "Checkpoint to use instead of --run_dir: model.ckpt-1000 or one of "
          "its files, an old one-file checkpoint, a safetensors file, or a "
          "folder, whose newest is used");
ABSL_FLAG(std::string, bundle_file, "",
          "A bundle (.mag) to use; excludes --run_dir and --checkpoint_file");
ABSL_FLAG(std::string, hparams, "",
          "Hyperparameters the model was trained with, as name=value,... The "
          "model knows them; a value that disagrees is an error");

namespace continuo {

ModelSource ModelSourceOfFlags() {
  ModelSource source;
  source.run_dir = absl::GetFlag(FLAGS_run_dir);
  source.checkpoint_file = absl::GetFlag(FLAGS_checkpoint_file);
  source.bundle_file = absl::GetFlag(FLAGS_bundle_file);
  source.hparams = absl::GetFlag(FLAGS_hparams);
  return source;
}

std::vector<FieldPath> ModelPathsOfFlags() {
  return {
      {"bundle_file", ExpandHome(absl::GetFlag(FLAGS_bundle_file))},
      {"checkpoint_file", ExpandHome(absl::GetFlag(FLAGS_checkpoint_file))}};
}

void LogModel(const LoadedModel& model) {
  LogInfo("Model ", model.path, ": ",
          model.config.name.empty() ? "" : model.config.name + ", ",
          HparamsToString(model.config.hparams));
}

}  // namespace continuo
