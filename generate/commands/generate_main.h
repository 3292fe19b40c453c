// SPDX-License-Identifier: Apache-2.0

// The common part of the *_generate commands. Each has its own main file
// (melody_generate_main.cc etc.) with its specific flags.

#ifndef CONTINUO_GENERATE_COMMANDS_GENERATE_MAIN_H_
#define CONTINUO_GENERATE_COMMANDS_GENERATE_MAIN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "generate/decoding/generator.h"
#include "generate/model/load_model.h"
#include "generate/requests/continuation.h"

namespace continuo {

// The common flags.
struct GenerateJob {
  uint64_t seed = 0;
  int num_outputs = 1;
  SearchOptions search;
};

using Outputs = std::vector<std::shared_ptr<const Continuation>>;

// Outputs with validated flags, before the model is loaded.
struct PreparedOutputs {
  std::string description;  // "128 steps at 120 qpm", for the log
  // What each output continues. May give the model another encoder.
  std::function<absl::StatusOr<Outputs>(LoadedModel*)> make;
};

// Where one command differs. The functions are called once the flags are
// parsed.
struct GenerateCommand {
  Family family = Family::kMelody;
  std::string example_flags;  // one line of flags, for the help text
  // Sets the configuration that the command's own flags name.
  void (*add_config)(ModelSource* source);
  absl::StatusOr<PreparedOutputs> (*prepare)(const GenerateJob& job);
};

// The whole command; returns the exit status.
int GenerateMain(int argc, char** argv, const GenerateCommand& command);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_COMMANDS_GENERATE_MAIN_H_
