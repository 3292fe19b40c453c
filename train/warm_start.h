// --warm_start_bundle_file: a new run that begins with trained weights.

#ifndef CONTINUO_TRAIN_WARM_START_H_
#define CONTINUO_TRAIN_WARM_START_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/checkpoint.h"
#include "models/network.h"

namespace continuo {

// The tensors of a bundle, a checkpoint (prefix, V1 file or folder) or a
// safetensors file, under the names of the current graphs.
absl::StatusOr<TensorMap> ReadWarmStart(const std::string& path);

// Whether they are those of a network whose attention is around all layers, as
// in bundles of TensorFlow 0.x.
bool HasAttentionAroundStack(const TensorMap& tensors);

// The flat weights (layout of `parameters`) from the tensors of `path`. Logs
// each one that was loaded and each that is there besides (slots of the
// optimizer, the step), with its shape. InvalidArgument that lists every weight
// of the network that is missing or has another shape.
absl::StatusOr<std::vector<float>> WarmStartWeights(
    const std::string& path, const TensorMap& tensors,
    absl::Span<const Parameter> parameters);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_WARM_START_H_
