// Forward over a packed batch, and the loss.

#include "absl/strings/str_cat.h"
#include "kernels/attention/attention.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/elementwise.h"
#include "kernels/layers/loss.h"
#include "kernels/lstm/lstm.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"

namespace continuo {
// out = (below or the sparse inputs) * the first `rows` rows of the kernel +
// bias.
absl::Status EventRnnTrainer::State::Project(
    const TensorView& below, bool sparse, const DenseParameters& dense,
    int64_t rows, const TensorView& packed, const TensorView& out) {
  const TensorView bias = ParameterView(weights(), *dense.bias);
  if (sparse) {
    return GatherSum(
        stream(), {.inputs = batch->inputs,
                   .weights = ParameterRows(weights(), *dense.kernel, 0, rows),
                   .bias = bias,
                   .out = out});
  }
  return Gemm(stream(), {.a = below, .b = packed, .bias = bias, .c = out});
}

absl::Status EventRnnTrainer::State::ForwardLayer(const LayerPlan& layer,
                                                  const TensorView& below,
                                                  const Pass& pass,
                                                  TensorView* output) {
  const LayerArrays& arrays = layers[layer.index];
  const LayerPacks& layer_packs = packs.layers[layer.index];
  const int64_t events = this->events();
  TensorView input = below;
  if (layer.projection.kernel != nullptr) {
    input = Rows(arrays.cell_input, events);
    CONTINUO_RETURN_IF_ERROR(Project(below, layer.sparse, layer.projection,
                                     layer.input,
                                     layer_packs.projection.forward, input));
  }
  const TensorView gates = Rows(arrays.gates, events);
  const TensorView c = Rows(arrays.c, events);
  const TensorView h = Rows(arrays.h, events);
  TensorView y = h;
  if (layer.attention) {
    const TensorView x = Rows(arrays.x, events);
    CONTINUO_RETURN_IF_ERROR(Project(input, layer.sparse_cell(), layer.wrapper,
                                     layer.width,
                                     layer_packs.cell_input.forward, x));
    y = Rows(arrays.out, events);
    CONTINUO_RETURN_IF_ERROR(AttentionForward(
        stream(),
        {.ragged = batch->ragged,
         .weights = MakeAttentionWeights(layer, layer_packs, weights()),
         .window = rnn->spec().attn_length,
         .x = x,
         .gates = gates,
         .c = c,
         .h = h,
         .query = Rows(arrays.query, events),
         .probabilities = Rows(arrays.probabilities, events),
         .attention = Rows(arrays.attention, events),
         .out = y,
         .projected = Rows(arrays.projected, events),
         .window_states = arrays.window[0],
         .window_projected = arrays.window[1],
         .scratch = attention_scratch}));
  } else if (UsesCudnn(layer)) {
    CONTINUO_RETURN_IF_ERROR(CudnnForward(layer, input, pass));
  } else {
    CONTINUO_RETURN_IF_ERROR(Project(input, layer.sparse_cell(), layer.lstm,
                                     layer.width,
                                     layer_packs.cell_input.forward, gates));
    CONTINUO_RETURN_IF_ERROR(
        LstmForward(stream(), {.ragged = batch->ragged,
                               .recurrent = layer_packs.recurrent.forward,
                               .gates = gates,
                               .c = c,
                               .h = h,
                               .scratch = lstm_scratch}));
  }
  *output = Rows(arrays.output, events);
  if (layer.residual) {
    CONTINUO_RETURN_IF_ERROR(Sum(stream(), {.a = y, .b = input, .c = *output}));
    y = *output;
  }
  if (pass.keep_prob < 1) {
    return Dropout(stream(), {.ragged = batch->ragged,
                              .source = batch->source,
                              .x = y,
                              .out = *output,
                              .keep_prob = pass.keep_prob,
                              .seed = pass.seed,
                              .step = batch->dropout_step,
                              .layer = layer.index});
  }
  *output = y;
  return absl::OkStatus();
}

// Layer after layer.
absl::Status EventRnnTrainer::State::ForwardLayers(const Pass& pass) {
  TensorView below;
  for (const LayerPlan& layer : plan.layers) {
    TensorView output;
    CONTINUO_RETURN_IF_ERROR(ForwardLayer(layer, below, pass, &output));
    outputs.push_back(output);
    below = output;
  }
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::State::Forward(const Pass& pass) {
  outputs.clear();
  CONTINUO_RETURN_IF_ERROR(plan.stack.has_value() ? ForwardStack(pass)
                                                  : ForwardLayers(pass));
  return Gemm(stream(), {.a = network_output(),
                         .b = packs.logits.forward,
                         .bias = ParameterView(weights(), *plan.logits.bias),
                         .c = Rows(logits, events())});
}

absl::Status EventRnnTrainer::State::Loss(const Pass& pass) {
  const int64_t count = events();
  const int64_t labels = batch->labels.num_elements();
  return SoftmaxLoss(
      stream(),
      {.logits = Rows(logits, count),
       .labels = batch->labels,
       .head_begin = head_begin,
       .default_label = default_label,
       .dlogits = pass.gradient ? Rows(dlogits, count) : TensorView(),
       .scale = batch->loss_scale,
       .cross_entropy = results.cross_entropy,
       .counts = results.counts,
       .class_labels = results.class_labels,
       .class_correct = results.class_correct,
       .predicted = TensorView(predicted.data<int32_t>(), {labels}),
       .chunk_sums = TensorView(chunk_sums.data<double>(),
                                {(count + kLossChunk - 1) / kLossChunk})});
}

}  // namespace continuo
