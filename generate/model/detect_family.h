// SPDX-License-Identifier: Apache-2.0

// Which family a model is of, for commands that serve all of them.

#ifndef CONTINUO_GENERATE_MODEL_DETECT_FAMILY_H_
#define CONTINUO_GENERATE_MODEL_DETECT_FAMILY_H_

#include "absl/status/statusor.h"
#include "generate/model/load_model.h"
#include "models/config/config.h"

namespace continuo {

// From `source` where it names a configuration, else from what is stored: the
// generator id of a bundle, the configuration beside a checkpoint.
// InvalidArgument with the remedy if neither tells.
absl::StatusOr<Family> DetectFamily(const ModelSource& source);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_MODEL_DETECT_FAMILY_H_
