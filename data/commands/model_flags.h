// SPDX-License-Identifier: Apache-2.0

// Flags of a model that Magenta's create_dataset commands for melodies and
// drums have, but data do not depend on: --hparams, --generator_id and
// --generator_description.

#ifndef CONTINUO_DATA_COMMANDS_MODEL_FLAGS_H_
#define CONTINUO_DATA_COMMANDS_MODEL_FLAGS_H_

#include "absl/status/status.h"
#include "models/config/config.h"

namespace continuo {

// Applies --hparams to the configuration. InvalidArgument for unknown names and
// wrong values, like everywhere else.
absl::Status ApplyHparamsOfFlags(ModelConfig* config);

}  // namespace continuo

#endif  // CONTINUO_DATA_COMMANDS_MODEL_FLAGS_H_
