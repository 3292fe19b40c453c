// SPDX-License-Identifier: Apache-2.0

#include "models/network/weights.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"

namespace continuo {

absl::Status CheckTensorShapes(absl::Span<const Parameter> parameters,
                               const TensorMap& tensors,
                               absl::string_view suffix,
                               absl::string_view where) {
  for (const Parameter& parameter : parameters) {
    const std::string name = absl::StrCat(parameter.name, suffix);
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      return absl::NotFoundError(absl::StrCat(
          where, ": has no tensor ", name,
          "; do `config` and `hparams` describe the network it holds?"));
    }
    const HostTensor& tensor = found->second;
    std::vector<int64_t> shape;
    for (int i = 0; i < parameter.shape.rank(); ++i) {
      shape.push_back(parameter.shape[i]);
    }
    if (tensor.dtype != DType::kFloat32 || tensor.shape != shape) {
      return absl::InvalidArgumentError(absl::StrCat(
          where, ": tensor ", name, " has the shape [",
          absl::StrJoin(tensor.shape, ", "), "], but the network needs ",
          parameter.shape.ToString(),
          "; do `config` and `hparams` describe the network it holds?"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<float>> FlatFromTensors(
    absl::Span<const Parameter> parameters, const TensorMap& tensors,
    absl::string_view suffix, absl::string_view where) {
  CONTINUO_RETURN_IF_ERROR(
      CheckTensorShapes(parameters, tensors, suffix, where));
  std::vector<float> flat(FlatSize(parameters), 0.0f);
  for (const Parameter& parameter : parameters) {
    const HostTensor& tensor = tensors.at(absl::StrCat(parameter.name, suffix));
    std::copy(tensor.floats.begin(), tensor.floats.end(),
              flat.begin() + parameter.offset);
  }
  return flat;
}

void AddFlatToTensors(absl::Span<const Parameter> parameters,
                      absl::string_view suffix, absl::Span<const float> flat,
                      TensorMap* tensors) {
  for (const Parameter& parameter : parameters) {
    HostTensor& tensor = (*tensors)[absl::StrCat(parameter.name, suffix)];
    tensor.dtype = DType::kFloat32;
    tensor.shape.clear();
    for (int i = 0; i < parameter.shape.rank(); ++i) {
      tensor.shape.push_back(parameter.shape[i]);
    }
    const float* values = flat.data() + parameter.offset;
    tensor.floats.assign(values, values + parameter.size);
    tensor.ints.clear();
  }
}

}  // namespace continuo
