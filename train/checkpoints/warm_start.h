// SPDX-License-Identifier: Apache-2.0

// --warm_start_bundle_file: a new run that starts with trained weights.

#ifndef CONTINUO_TRAIN_CHECKPOINTS_WARM_START_H_
#define CONTINUO_TRAIN_CHECKPOINTS_WARM_START_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/checkpoint/checkpoint.h"
#include "models/model_file/model_file.h"
#include "models/network/network.h"

namespace continuo {

// A bundle, a checkpoint (prefix, V1 file or folder), the folder of a run or a
// safetensors file.
absl::StatusOr<ModelFile> ReadWarmStart(const std::string& path);

// The flat weights (layout of `parameters`) from the tensors of `path`. Logs
// each one that was loaded and each that is there besides (slots of the
// optimizer, the step), with its shape. InvalidArgument that lists every weight
// of the network that is missing or has another shape.
absl::StatusOr<std::vector<float>> WarmStartWeights(
    const std::string& path, const TensorMap& tensors,
    absl::Span<const Parameter> parameters);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_CHECKPOINTS_WARM_START_H_
