// SPDX-License-Identifier: Apache-2.0

// Projection: the product of rows, dense or sparse, with a weight matrix.

#ifndef CONTINUO_MODELS_LAYERS_PROJECTION_H_
#define CONTINUO_MODELS_LAYERS_PROJECTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "models/layers/layer.h"
#include "models/layers/parameter.h"
#include "models/layers/weight_matrix.h"
#include "runtime/device/device.h"
#include "runtime/device/tensor.h"

namespace continuo {

// out = x K + b, where K are the first `rows` rows of the kernel: the logits,
// the input of a residual layer, what a cell makes of its input.
class Projection {
 public:
  Projection(const DenseParameters& parameters, int64_t rows, bool sparse);

  // A sparse product reads the weights as they are.
  void PlanWeights(const Stream& stream, bool backward, Arena* arena);
  absl::Status Pack(const Stream& stream, float* weights) const;

  absl::Status Forward(const Stream& stream, float* weights,
                       const LayerInput& input, const TensorView& out) const;

  // Adds the gradients of K and, with `bias`, of b, and writes dz K^T to
  // dinput of a dense input, or adds it with `add`.
  void PlanBackward(BatchPlan* plan) const;
  absl::Status Backward(const LayerPass& pass, const LayerInput& input,
                        const TensorView& dz, bool bias,
                        const TensorView& dinput, bool add) const;

  bool sparse() const { return sparse_; }
  int64_t columns() const { return kernel_.columns(); }
  const WeightMatrix& kernel() const { return kernel_; }
  const Parameter& bias() const { return bias_; }

 private:
  WeightMatrix kernel_;
  Parameter bias_;
  bool sparse_;
};

}  // namespace continuo

#endif  // CONTINUO_MODELS_LAYERS_PROJECTION_H_
