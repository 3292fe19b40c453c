// SPDX-License-Identifier: Apache-2.0

// --generator_id and --generator_description, which Magenta's training commands
// for melodies and drums have.

#ifndef CONTINUO_TRAIN_COMMANDS_GENERATOR_FLAGS_H_
#define CONTINUO_TRAIN_COMMANDS_GENERATOR_FLAGS_H_

#include "train/loop/resolve_model.h"

namespace continuo {

// The model with what these flags say.
RequestedModel WithGeneratorOfFlags(RequestedModel model);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_COMMANDS_GENERATOR_FLAGS_H_
