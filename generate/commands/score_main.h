// SPDX-License-Identifier: Apache-2.0

// The common part of the *_score commands. Each has its own main file
// (melody_score_main.cc etc.) with its specific flags.

#ifndef CONTINUO_GENERATE_COMMANDS_SCORE_MAIN_H_
#define CONTINUO_GENERATE_COMMANDS_SCORE_MAIN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/events/dataset/pipeline.h"
#include "models/config/config.h"

namespace continuo {

// Where one command differs. The functions are called once the flags are
// parsed.
struct ScoreCommand {
  Family family = Family::kMelody;
  // What is taken from a file, for --help.
  std::string pieces;
  // --melody_encoder_decoder; empty where there is no such flag.
  std::string (*melody_encoder_decoder)();
  // The extraction that the command's own flags describe. An error names the
  // flag and the valid values.
  absl::StatusOr<std::unique_ptr<DatasetPipeline>> (*make_pipeline)(
      const ModelConfig& config);
};

// The whole command; returns the exit status.
int ScoreMain(int argc, char** argv, const ScoreCommand& command);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_COMMANDS_SCORE_MAIN_H_
