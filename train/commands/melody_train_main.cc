// SPDX-License-Identifier: Apache-2.0

// melody_rnn_train: melody-specific flags and entry point.

#include <string>

#include "absl/flags/flag.h"
#include "train/commands/generator_flags.h"
#include "train/commands/train_main.h"

ABSL_FLAG(std::string, config, "",
          "Configuration: basic_rnn, mono_rnn, lookback_rnn or attention_rnn. "
          "Required for a new run without --melody_encoder_decoder; a run that "
          "exists knows its own.");
ABSL_FLAG(std::string, melody_encoder_decoder, "",
          "Instead of --config: onehot, lookback or key, an encoding with the "
          "base hyperparameters.");

namespace continuo {
namespace {

RequestedModel GetModelFlags() {
  return WithGeneratorOfFlags(
      {.config = absl::GetFlag(FLAGS_config),
       .melody_encoder_decoder = absl::GetFlag(FLAGS_melody_encoder_decoder)});
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::TrainMain(argc, argv,
                             {.family = continuo::Family::kMelody,
                              .example_config = "attention_rnn",
                              .outputs_name = "melodies",
                              .model_flags = continuo::GetModelFlags});
}
