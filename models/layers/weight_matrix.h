// SPDX-License-Identifier: Apache-2.0

// WeightMatrix: rows of a weight matrix, and their packed copies.

#ifndef CONTINUO_MODELS_LAYERS_WEIGHT_MATRIX_H_
#define CONTINUO_MODELS_LAYERS_WEIGHT_MATRIX_H_

#include <cstdint>

#include "absl/status/status.h"
#include "models/layers/parameter.h"
#include "runtime/device/arena.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// Rows [begin, end) of a parameter that one product reads. The packed copies
// are made anew whenever the weights have changed: as the matrix is, for
// forward, and transposed, for backward.
class WeightMatrix {
 public:
  WeightMatrix() = default;  // there is none
  WeightMatrix(const Parameter& parameter, int64_t begin, int64_t end)
      : parameter_(parameter), begin_(begin), end_(end) {}
  // All rows.
  explicit WeightMatrix(const Parameter& parameter);

  // Asks the arena for the packed copies, the transposed one with `backward`.
  void Plan(const Stream& stream, bool backward, Arena* arena);
  absl::Status Pack(const Stream& stream, float* weights) const;

  const TensorView& packed() const { return packed_; }
  const TensorView& transposed() const { return transposed_; }

  // The rows in a flat buffer: of weights or of gradients.
  TensorView Rows(float* flat) const {
    return ParameterRows(flat, parameter_, begin_, end_);
  }
  int64_t rows() const { return end_ - begin_; }
  int64_t columns() const {
    return parameter_.shape[parameter_.shape.rank() - 1];
  }

 private:
  Parameter parameter_;
  int64_t begin_ = 0;
  int64_t end_ = 0;
  TensorView packed_;
  TensorView transposed_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_WEIGHT_MATRIX_H_
