// SPDX-License-Identifier: Apache-2.0

#include "models/layers/projection.h"

#include "kernels/gemm/gemm.h"
#include "kernels/layers/embedding.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {

Projection::Projection(const DenseParameters& parameters, int64_t rows,
                       bool sparse)
    : kernel_(parameters.kernel, 0, rows),
      bias_(parameters.bias),
      sparse_(sparse) {}

void Projection::PlanWeights(const Stream& stream, bool backward,
                             Arena* arena) {
  if (!sparse_) kernel_.Plan(stream, backward, arena);
}

absl::Status Projection::Pack(const Stream& stream, float* weights) const {
  if (sparse_) return absl::OkStatus();
  return kernel_.Pack(stream, weights);
}

absl::Status Projection::Forward(const Stream& stream, float* weights,
                                 const LayerInput& input,
                                 const TensorView& out) const {
  const TensorView bias = ParameterView(weights, bias_);
  if (sparse_) {
    CONTINUO_CHECK(input.sparse != nullptr);
    return GatherSum(stream, {.inputs = *input.sparse,
                              .weights = kernel_.Rows(weights),
                              .bias = bias,
                              .out = out});
  }
  return Gemm(
      stream,
      {.a = input.dense, .b = kernel_.packed(), .bias = bias, .c = out});
}

void Projection::PlanBackward(BatchPlan* plan) const {
  const int64_t columns = kernel_.columns();
  plan->NeedGradientScratch(kernel_.rows(), columns);
  if (!sparse_) return;
  plan->NeedScratch(
      ScatterAddScratch(plan->stream, plan->events, kernel_.rows(), columns));
}

absl::Status Projection::Backward(const LayerPass& pass,
                                  const LayerInput& input, const TensorView& dz,
                                  bool bias, const TensorView& dinput,
                                  bool add) const {
  const TensorView dw = kernel_.Rows(pass.gradient);
  const TensorView db =
      bias ? ParameterView(pass.gradient, bias_) : TensorView();
  if (sparse_) {
    CONTINUO_RETURN_IF_ERROR(
        ScatterAdd(pass.stream, {.inputs = *input.sparse,
                                 .dz = dz,
                                 .dw = dw,
                                 .scratch = pass.gradient_scratch}));
    if (!bias) return absl::OkStatus();
    return pass.Accumulate(TensorView(), false, dz, TensorView(), db);
  }
  CONTINUO_RETURN_IF_ERROR(pass.Accumulate(input.dense, false, dz, dw, db));
  return Gemm(
      pass.stream,
      {.a = dz, .b = kernel_.transposed(), .c = dinput, .accumulate = add});
}

}  // namespace continuo
