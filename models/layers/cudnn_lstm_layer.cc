// SPDX-License-Identifier: Apache-2.0

#include "models/layers/cudnn_lstm_layer.h"

#include <algorithm>
#include <utility>

#include "kernels/layers/elementwise.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {

void CudnnLstmLayer::PlanBatch(BatchPlan* plan) {
  h_ = plan->arena->Allocate<float>(shape().What("activations"),
                                    {plan->events, shape().units});
}

absl::Status CudnnLstmLayer::PrepareBatch(const LayerPass& pass,
                                          bool backward) {
  CONTINUO_ASSIGN_OR_RETURN(const LstmCudnnSizes sizes,
                            LstmCudnnSizesFor(pass.stream, pass.ragged,
                                              shape().width, shape().units));
  const int64_t rows = pass.events * shape().width;
  std::pair<TensorView*, int64_t> arrays[] = {
      {&arrays_.scratch, sizes.scratch},
      {&arrays_.reserve, backward ? sizes.reserve : 0},
      {&arrays_.x, shape().sparse ? rows : 0},
      {&arrays_.dx, backward ? rows : 0}};
  bool fits = arena_ != nullptr;
  for (auto& [array, size] : arrays) {
    const int64_t have = arena_ == nullptr ? 0 : array->num_elements();
    fits = fits && size <= have;
    size = std::max(size, have);
  }
  if (fits) return absl::OkStatus();
  // The stream is done with the previous arrays.
  arena_ = std::make_unique<Arena>(pass.stream.device);
  const auto allocate = [&] {
    for (auto& [array, size] : arrays) {
      *array = arena_->Allocate<float>("cuDNN", {size});
    }
  };
  allocate();
  const absl::Status committed = arena_->Commit();
  if (!committed.ok()) {
    arena_ = nullptr;
    return Annotate(committed,
                    "cuDNN for this batch (`rnn_backend`=fused or a smaller "
                    "batch_size needs less)");
  }
  allocate();
  return absl::OkStatus();
}

// The dense input, or the array for the sparse one.
TensorView CudnnLstmLayer::X(const LayerPass& pass,
                             const LayerInput& input) const {
  return shape().sparse ? Rows(arrays_.x, pass.events, shape().width)
                        : input.dense;
}

absl::Status CudnnLstmLayer::Forward(const LayerPass& pass,
                                     const LayerInput& input,
                                     TensorView* output) {
  const TensorView x = X(pass, input);
  if (shape().sparse) {
    CONTINUO_RETURN_IF_ERROR(
        DenseRows(pass.stream, {.inputs = *input.sparse, .out = x}));
  }
  *output = Rows(h_, pass.events);
  return LstmCudnnForward(
      pass.stream,
      {.ragged = pass.ragged,
       .x = x,
       .kernel = ParameterView(pass.weights, kernel()),
       .bias = ParameterView(pass.weights, bias()),
       .h = *output,
       .reserve = pass.gradient != nullptr ? arrays_.reserve : TensorView(),
       .scratch = arrays_.scratch});
}

absl::Status CudnnLstmLayer::Backward(const LayerPass& pass,
                                      const LayerInput& input,
                                      const TensorView& doutput,
                                      const TensorView& dinput, bool add) {
  const bool sparse = shape().sparse;
  const TensorView dx =
      sparse || add ? Rows(arrays_.dx, pass.events, shape().width) : dinput;
  CONTINUO_RETURN_IF_ERROR(LstmCudnnBackward(
      pass.stream, {.ragged = pass.ragged,
                    .x = X(pass, input),
                    .kernel = ParameterView(pass.weights, kernel()),
                    .bias = ParameterView(pass.weights, bias()),
                    .h = Rows(h_, pass.events),
                    .dh = doutput,
                    .dx = dx,
                    .dkernel = ParameterView(pass.gradient, kernel()),
                    .dbias = ParameterView(pass.gradient, bias()),
                    .reserve = arrays_.reserve,
                    .scratch = arrays_.scratch}));
  if (sparse || !add) return absl::OkStatus();
  return Sum(pass.stream, {.a = dinput, .b = dx, .c = dinput});
}

}  // namespace continuo
