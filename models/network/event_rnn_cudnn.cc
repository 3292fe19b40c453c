// LSTM layers by cuDNN in place of the project's own
// (kernels/lstm/lstm_cudnn.h). What differs from the fused path: sparse inputs
// are written out, the gradient of a residual connection is added afterwards,
// and the size of what forward keeps is known once the batch is.

#include <algorithm>

#include "kernels/layers/elementwise.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"

namespace continuo {

bool EventRnnTrainer::State::UsesCudnn(const LayerPlan& layer) const {
  return !layer.attention && !plan.stack.has_value() && LstmUsesCudnn(stream());
}

// Makes room for the current batch.
absl::Status EventRnnTrainer::State::PlanCudnn() {
  const int64_t events = this->events();
  std::vector<int64_t> sizes(3 + plan.layers.size());  // of the arrays
  for (const LayerPlan& layer : plan.layers) {
    if (!UsesCudnn(layer)) continue;
    CONTINUO_ASSIGN_OR_RETURN(
        const LstmCudnnSizes of_layer,
        LstmCudnnSizesFor(stream(), batch->ragged, layer.width, layer.units));
    sizes[0] = std::max(sizes[0], of_layer.scratch);
    if (layer.sparse_cell()) sizes[1] = events * layer.width;
    if (inference_only) continue;
    sizes[2] = std::max(sizes[2], events * layer.width);
    sizes[3 + layer.index] = of_layer.reserve;
  }
  bool fits = cudnn.arrays.size() == sizes.size();
  for (size_t i = 0; i < cudnn.arrays.size(); ++i) {
    const int64_t have = cudnn.arrays[i].num_elements();
    fits = fits && sizes[i] <= have;
    sizes[i] = std::max(sizes[i], have);
  }
  if (fits) return absl::OkStatus();
  // The stream is done with the arrays of before.
  cudnn.arrays.clear();
  cudnn.arena = std::make_unique<Arena>(stream().device);
  const auto allocate = [&] {
    cudnn.arrays.clear();
    for (int64_t size : sizes) {
      cudnn.arrays.push_back(cudnn.arena->Allocate<float>("cuDNN", {size}));
    }
  };
  allocate();
  CONTINUO_RETURN_IF_ERROR(
      Annotate(cudnn.arena->Commit(),
               "cuDNN for this batch (--rnn_backend=fused or a smaller "
               "batch_size needs less)"));
  allocate();
  return absl::OkStatus();
}

// h of a layer on `input`, or on the sparse rows.
absl::Status EventRnnTrainer::State::CudnnForward(const LayerPlan& layer,
                                                  const TensorView& input,
                                                  const Pass& pass) {
  TensorView x = input;
  if (layer.sparse_cell()) {
    x = Rows(cudnn.x(), events(), layer.width);
    CONTINUO_RETURN_IF_ERROR(
        DenseRows(stream(), {.inputs = batch->inputs, .out = x}));
  }
  return LstmCudnnForward(
      stream(),
      {.ragged = batch->ragged,
       .x = x,
       .kernel = ParameterRows(weights(), *layer.lstm.kernel, 0,
                               layer.width + layer.units),
       .bias = ParameterView(weights(), *layer.lstm.bias),
       .h = Rows(layers[layer.index].h, events()),
       .reserve = pass.gradient ? cudnn.reserve(layer.index) : TensorView(),
       .scratch = cudnn.scratch()});
}

// Gradients of the layer's weights, and of a dense input: into dinput, or added
// to it if the layer has a residual connection.
absl::Status EventRnnTrainer::State::CudnnBackward(const LayerPlan& layer,
                                                   const TensorView& input,
                                                   const TensorView& doutput,
                                                   const TensorView& dinput) {
  float* const flat = gradient.data<float>();
  const bool sparse = layer.sparse_cell();
  const TensorView dx = sparse || layer.residual
                            ? Rows(cudnn.dx(), events(), layer.width)
                            : dinput;
  CONTINUO_RETURN_IF_ERROR(LstmCudnnBackward(
      stream(), {.ragged = batch->ragged,
                 .x = sparse ? Rows(cudnn.x(), events(), layer.width) : input,
                 .kernel = ParameterRows(weights(), *layer.lstm.kernel, 0,
                                         layer.width + layer.units),
                 .bias = ParameterView(weights(), *layer.lstm.bias),
                 .h = Rows(layers[layer.index].h, events()),
                 .dh = doutput,
                 .dx = dx,
                 .dkernel = ParameterRows(flat, *layer.lstm.kernel, 0,
                                          layer.width + layer.units),
                 .dbias = ParameterView(flat, *layer.lstm.bias),
                 .reserve = cudnn.reserve(layer.index),
                 .scratch = cudnn.scratch()}));
  if (sparse || !layer.residual) return absl::OkStatus();
  return Sum(stream(), {.a = dinput, .b = dx, .c = dinput});
}

}  // namespace continuo
