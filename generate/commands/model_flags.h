// SPDX-License-Identifier: Apache-2.0

// The flags that say which trained model a command uses.

#ifndef CONTINUO_GENERATE_COMMANDS_MODEL_FLAGS_H_
#define CONTINUO_GENERATE_COMMANDS_MODEL_FLAGS_H_

#include <vector>

#include "generate/model/load_model.h"
#include "runtime/files/output_path.h"

namespace continuo {

// --run_dir, --checkpoint_file, --bundle_file and --hparams; the command adds
// the configuration.
ModelSource ModelSourceOfFlags();

// The files among them, which no output may replace.
std::vector<FieldPath> ModelPathsOfFlags();

// Logs which model it is.
void LogModel(const LoadedModel& model);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_COMMANDS_MODEL_FLAGS_H_
