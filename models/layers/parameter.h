// SPDX-License-Identifier: Apache-2.0

// Parameter: one named weight tensor, and its place in the flat buffer.

#ifndef CONTINUO_MODELS_LAYERS_PARAMETER_H_
#define CONTINUO_MODELS_LAYERS_PARAMETER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "runtime/device/tensor.h"

namespace continuo {

// One weight tensor. Its values are elements [offset, offset + size) of the
// flat parameter buffer, row-major.
struct Parameter {
  std::string name;  // TensorFlow variable name of the current graphs
  Shape shape;
  int64_t offset = 0;
  int64_t size = 0;
  // Glorot uniform with limit sqrt(6 / (fan_in + fan_out)).
  int fan_in = 0;
  int fan_out = 0;
  float initial = 0;  // of every element, where both fans are 0
};

// The weights and the bias of a product.
struct DenseParameters {
  Parameter kernel;
  Parameter bias;
};

// All weights of a network in their order, which decides their places. Layers
// add their own when they are made.
class ParameterList {
 public:
  Parameter Add(std::string name, Shape shape, int fan_in, int fan_out);
  // A vector [n] of equal values.
  Parameter AddVector(std::string name, int n, float initial = 0);
  // A dense layer: weights [in, out] and biases [out].
  DenseParameters AddDense(const std::string& weights,
                           const std::string& biases, int in, int out,
                           float initial_bias = 0);
  // The same, called `scope` + "kernel" and `scope` + "bias".
  DenseParameters AddKernel(const std::string& scope, int in, int out,
                            float initial_bias = 0);

  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
  int64_t end_ = 0;
};

// Elements of the flat buffer that `parameters` need (gaps included).
int64_t FlatSize(absl::Span<const Parameter> parameters);

// Fills the flat buffer with the published initializers from a seed.
void InitializeParameters(absl::Span<const Parameter> parameters, uint64_t seed,
                          absl::Span<float> flat);

// Rows [begin, end) of a matrix parameter in a flat buffer (any of them:
// weights, gradient).
TensorView ParameterRows(float* flat, const Parameter& parameter, int64_t begin,
                         int64_t end);
// The whole parameter; leading dimensions of size 1 are dropped.
TensorView ParameterView(float* flat, const Parameter& parameter);

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_PARAMETER_H_
