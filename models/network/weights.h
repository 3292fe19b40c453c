// SPDX-License-Identifier: Apache-2.0

// Between the flat weight buffer of a network and named tensors.

#ifndef CONTINUO_MODELS_NETWORK_WEIGHTS_H_
#define CONTINUO_MODELS_NETWORK_WEIGHTS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "models/checkpoint/checkpoint.h"
#include "models/network/network.h"

namespace continuo {

// Whether the tensors called parameter name + `suffix` are there in their
// shapes. NotFound or InvalidArgument with `where` (the checkpoint), the tensor
// and both shapes if one is missing or has another shape or type.
absl::Status CheckTensorShapes(absl::Span<const Parameter> parameters,
                               const TensorMap& tensors,
                               absl::string_view suffix,
                               absl::string_view where);

// The flat buffer (layout of `parameters`, gaps zero) from the tensors called
// parameter name + `suffix`: "" for weights, "/Adam" and "/Adam_1" for the
// optimizer's slots. Other tensors are ignored. The errors of
// CheckTensorShapes come before anything of the network's size is made.
absl::StatusOr<std::vector<float>> FlatFromTensors(
    absl::Span<const Parameter> parameters, const TensorMap& tensors,
    absl::string_view suffix, absl::string_view where);

// Adds the tensors of a flat buffer under these names.
void AddFlatToTensors(absl::Span<const Parameter> parameters,
                      absl::string_view suffix, absl::Span<const float> flat,
                      TensorMap* tensors);

}  // namespace continuo

#endif  // CONTINUO_MODELS_NETWORK_WEIGHTS_H_
