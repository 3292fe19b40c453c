// --warm_start_bundle_file: a new run that begins with trained weights.

#ifndef CONTINUO_TRAIN_WARM_START_H_
#define CONTINUO_TRAIN_WARM_START_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/network.h"

namespace continuo {

// The flat weights (layout of `parameters`) from a bundle, a checkpoint
// (prefix, V1 file or folder) or a safetensors file. Logs each tensor that was
// loaded and each that the file holds besides (slots of the optimizer, the
// step), with its shape. InvalidArgument that lists every weight of the network
// that is missing or has another shape.
absl::StatusOr<std::vector<float>> ReadWarmStart(
    const std::string& path, absl::Span<const Parameter> parameters);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_WARM_START_H_
