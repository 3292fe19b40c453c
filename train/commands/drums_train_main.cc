// SPDX-License-Identifier: Apache-2.0

// drums_rnn_train: drums-specific flags and entry point.

#include <string>

#include "absl/flags/flag.h"
#include "train/commands/generator_flags.h"
#include "train/commands/train_main.h"

ABSL_FLAG(std::string, config, "drum_kit",
          "Configuration of a new run: one_drum or drum_kit. A run that exists "
          "knows its own.");

namespace continuo {
namespace {

RequestedModel GetModelFlags() {
  return WithGeneratorOfFlags(
      {.config = absl::GetFlag(FLAGS_config), .default_config = "drum_kit"});
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::TrainMain(argc, argv,
                             {.family = continuo::Family::kDrums,
                              .example_config = "drum_kit",
                              .outputs_name = "drum_tracks",
                              .model_flags = continuo::GetModelFlags});
}
