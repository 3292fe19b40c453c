// SPDX-License-Identifier: Apache-2.0

// performance_rnn_train: performance-specific flags and entry point.

#include <string>

#include "absl/flags/flag.h"
#include "train/commands/train_main.h"

ABSL_FLAG(std::string, config, "performance",
          "Configuration of a new run: performance; performance_with_dynamics "
          "and its variants _compact, _and_modulo_encoding and "
          "_and_note_encoding; or density_conditioned_, pitch_conditioned_, "
          "multiconditioned_ and optional_multiconditioned_"
          "performance_with_dynamics. A run that exists knows its own.");

namespace continuo {
namespace {

RequestedModel GetModelFlags() {
  return {.config = absl::GetFlag(FLAGS_config),
          .default_config = "performance"};
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::TrainMain(argc, argv,
                             {.family = continuo::Family::kPerformance,
                              .example_config = "performance_with_dynamics",
                              .outputs_name = "performances",
                              .model_flags = continuo::GetModelFlags});
}
