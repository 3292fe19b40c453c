// SPDX-License-Identifier: Apache-2.0

#include "models/layers/parameter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"

namespace continuo {
namespace {

// Elements between the starts of two tensors are a multiple of this: 64 bytes.
constexpr int64_t kAlignment = 16;

int64_t AlignUp(int64_t n) {
  return (n + kAlignment - 1) / kAlignment * kAlignment;
}

int64_t Columns(const Parameter& parameter) {
  return parameter.shape[parameter.shape.rank() - 1];
}

}  // namespace

Parameter ParameterList::Add(std::string name, Shape shape, int fan_in,
                             int fan_out) {
  const int64_t size = shape.num_elements();
  parameters_.push_back({.name = std::move(name),
                         .shape = shape,
                         .offset = end_,
                         .size = size,
                         .fan_in = fan_in,
                         .fan_out = fan_out});
  end_ += AlignUp(size);
  return parameters_.back();
}

Parameter ParameterList::AddVector(std::string name, int n, float initial) {
  Add(std::move(name), {n}, 0, 0);
  parameters_.back().initial = initial;
  return parameters_.back();
}

DenseParameters ParameterList::AddDense(const std::string& weights,
                                        const std::string& biases, int in,
                                        int out, float initial_bias) {
  DenseParameters dense;
  dense.kernel = Add(weights, {in, out}, in, out);
  dense.bias = AddVector(biases, out, initial_bias);
  return dense;
}

DenseParameters ParameterList::AddKernel(const std::string& scope, int in,
                                         int out, float initial_bias) {
  return AddDense(absl::StrCat(scope, "kernel"), absl::StrCat(scope, "bias"),
                  in, out, initial_bias);
}

int64_t FlatSize(absl::Span<const Parameter> parameters) {
  if (parameters.empty()) return 0;
  return AlignUp(parameters.back().offset + parameters.back().size);
}

void InitializeParameters(absl::Span<const Parameter> parameters, uint64_t seed,
                          absl::Span<float> flat) {
  CONTINUO_CHECK(static_cast<int64_t>(flat.size()) == FlatSize(parameters));
  for (float& weight : flat) weight = 0;
  for (size_t p = 0; p < parameters.size(); ++p) {
    const Parameter& parameter = parameters[p];
    const int fans = parameter.fan_in + parameter.fan_out;
    if (fans == 0) {
      std::fill_n(flat.begin() + parameter.offset, parameter.size,
                  parameter.initial);
      continue;
    }
    const double limit = std::sqrt(6.0 / fans);
    for (int64_t i = 0; i < parameter.size; ++i) {
      const double uniform =
          RandomDouble(seed, RandomPurpose::kInitialWeights, p, i);
      flat[parameter.offset + i] =
          static_cast<float>(limit * (2.0 * uniform - 1.0));
    }
  }
}

TensorView ParameterRows(float* flat, const Parameter& parameter, int64_t begin,
                         int64_t end) {
  const int64_t columns = Columns(parameter);
  CONTINUO_CHECK(begin <= end && end * columns <= parameter.size);
  return TensorView(flat + parameter.offset + begin * columns,
                    {end - begin, columns});
}

TensorView ParameterView(float* flat, const Parameter& parameter) {
  if (parameter.shape.rank() == 1) {
    return TensorView(flat + parameter.offset, parameter.shape);
  }
  return ParameterRows(flat, parameter, 0, parameter.size / Columns(parameter));
}

}  // namespace continuo
