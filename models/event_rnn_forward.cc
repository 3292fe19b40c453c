// Forward over a packed batch, and the loss.

#include "absl/strings/str_cat.h"
#include "kernels/attention.h"
#include "kernels/dropout.h"
#include "kernels/gemm.h"
#include "kernels/loss.h"
#include "kernels/lstm.h"
#include "kernels/rows.h"
#include "models/event_rnn_trainer_state.h"
#include "runtime/status.h"

namespace continuo {
namespace {

absl::Status CheckBatch(const PackedBatch& batch, const NetworkSpec& spec) {
  if (batch.num_rows() == 0) {
    return absl::InvalidArgumentError("the batch has no sequences");
  }
  if (batch.inputs.width != spec.input_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the examples have ", batch.inputs.width, " inputs but the model has ",
        spec.input_size, "; use the configuration they were made with"));
  }
  const int heads = static_cast<int>(spec.head_sizes.size());
  if (batch.heads != heads) {
    return absl::InvalidArgumentError(
        absl::StrCat("the examples have ", batch.heads,
                     " labels per event but the model has ", heads,
                     "; use the configuration they were made with"));
  }
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    const int classes = spec.head_sizes[i % heads];
    if (batch.labels[i] >= 0 && batch.labels[i] < classes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "label ", batch.labels[i], " is outside the model's ", classes,
        " classes; use the configuration the examples were made with"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EventRnnTrainer::State::Begin(const PackedBatch& batch) {
  CONTINUO_RETURN_IF_ERROR(CheckBatch(batch, rnn->spec()));
  if (batch.num_rows() > max_rows || batch.num_events() > max_events) {
    CONTINUO_RETURN_IF_ERROR(PlanBatch(batch.num_rows(), batch.num_events()));
  }
  if (packed_version != rnn->version()) {
    CONTINUO_RETURN_IF_ERROR(PackNetwork(stream(), plan, weights(), packs));
    packed_version = rnn->version();
  }
  events = batch.num_events();
  schedule = {.alive = View(batch.alive),
              .step_begin = View(batch.step_begin),
              .rows = batch.num_rows(),
              .host_alive = batch.alive.data(),
              .host_step_begin = batch.step_begin.data()};
  inputs = {.row_begin = View(batch.inputs.row_begin),
            .index = View(batch.inputs.index),
            .value = View(batch.inputs.value)};
  return absl::OkStatus();
}

// out = (below or the sparse inputs) * the first `rows` rows of the kernel +
// bias.
absl::Status EventRnnTrainer::State::Project(
    const TensorView& below, bool sparse, const DenseParameters& dense,
    int64_t rows, const TensorView& packed, const TensorView& out) {
  const TensorView bias = ParameterView(weights(), *dense.bias);
  if (sparse) {
    return GatherSum(
        stream(), {.inputs = inputs,
                   .weights = ParameterRows(weights(), *dense.kernel, 0, rows),
                   .bias = bias,
                   .out = out});
  }
  return Gemm(stream(), {.a = below, .b = packed, .bias = bias, .c = out});
}

absl::Status EventRnnTrainer::State::ForwardLayer(const PackedBatch& batch,
                                                  const LayerPlan& layer,
                                                  const TensorView& below,
                                                  const DropoutSpec& dropout,
                                                  TensorView* output) {
  const LayerArrays& arrays = layers[layer.index];
  const LayerPacks& layer_packs = packs.layers[layer.index];
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
        {.schedule = schedule,
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
         .window_projected = arrays.window[1]}));
  } else {
    CONTINUO_RETURN_IF_ERROR(Project(input, layer.sparse_cell(), layer.lstm,
                                     layer.width,
                                     layer_packs.cell_input.forward, gates));
    CONTINUO_RETURN_IF_ERROR(
        LstmForward(stream(), {.schedule = schedule,
                               .recurrent = layer_packs.recurrent.forward,
                               .gates = gates,
                               .c = c,
                               .h = h}));
  }
  *output = Rows(arrays.output, events);
  if (layer.residual) {
    CONTINUO_RETURN_IF_ERROR(Sum(stream(), {.a = y, .b = input, .c = *output}));
    y = *output;
  }
  if (dropout.keep_prob < 1) {
    return Dropout(stream(), {.schedule = schedule,
                              .source = View(batch.source),
                              .x = y,
                              .out = *output,
                              .keep_prob = dropout.keep_prob,
                              .seed = dropout.seed,
                              .step = ScalarView(&dropout.step),
                              .layer = layer.index});
  }
  *output = y;
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::State::Forward(const PackedBatch& batch,
                                             const DropoutSpec& dropout) {
  CONTINUO_RETURN_IF_ERROR(Begin(batch));
  outputs.clear();
  TensorView below;
  for (const LayerPlan& layer : plan.layers) {
    TensorView output;
    CONTINUO_RETURN_IF_ERROR(
        ForwardLayer(batch, layer, below, dropout, &output));
    outputs.push_back(output);
    below = output;
  }
  return Gemm(stream(), {.a = below,
                         .b = packs.logits.forward,
                         .bias = ParameterView(weights(), *plan.logits.bias),
                         .c = Rows(logits, events)});
}

absl::Status EventRnnTrainer::State::Loss(const PackedBatch& batch,
                                          bool gradient, LossSums* sums) {
  const NetworkSpec& spec = rnn->spec();
  sums->class_labels.resize(spec.num_classes());
  sums->class_correct.resize(spec.num_classes());
  const int64_t labels = events * batch.heads;
  int64_t counts[4] = {};
  const float scale = static_cast<float>(1.0 / static_cast<double>(labels));
  CONTINUO_RETURN_IF_ERROR(SoftmaxLoss(
      stream(),
      {.logits = Rows(logits, events),
       .labels = View(batch.labels),
       .head_begin = View(head_begin),
       .default_label = View(spec.default_label),
       .dlogits = gradient ? Rows(dlogits, events) : TensorView(),
       .scale = ScalarView(&scale),
       .cross_entropy = TensorView(&sums->cross_entropy, {1}),
       .counts = TensorView(counts, {4}),
       .class_labels = View(sums->class_labels),
       .class_correct = View(sums->class_correct),
       .predicted = TensorView(predicted.data<int32_t>(), {labels}),
       .chunk_sums = TensorView(chunk_sums.data<double>(),
                                {(events + kLossChunk - 1) / kLossChunk})}));
  sums->labels += labels;
  sums->correct += counts[1] + counts[3];
  sums->event_labels += counts[0];
  sums->event_correct += counts[1];
  sums->no_event_labels += counts[2];
  sums->no_event_correct += counts[3];
  return absl::OkStatus();
}

}  // namespace continuo
