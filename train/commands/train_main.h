// SPDX-License-Identifier: Apache-2.0

// The common part of the *_train commands. Each has its own main file
// (melody_train_main.cc etc.) with its specific flags.

#ifndef CONTINUO_TRAIN_COMMANDS_TRAIN_MAIN_H_
#define CONTINUO_TRAIN_COMMANDS_TRAIN_MAIN_H_

#include <string>

#include "train/loop/resolve_model.h"

namespace continuo {

// Where one command differs.
struct TrainCommand {
  Family family = Family::kMelody;
  std::string example_config;  // a configuration, for the help text
  std::string outputs_name;    // "melodies", as in the names of data sets
  // The model as the command's own flags describe it (without hparams);
  // called once they are parsed.
  RequestedModel (*model_flags)();
};

// The whole command; returns the exit status.
int TrainMain(int argc, char** argv, const TrainCommand& command);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_COMMANDS_TRAIN_MAIN_H_
