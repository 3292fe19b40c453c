// One event of every row through the network.

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_window.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/elementwise.h"
#include "kernels/lstm/lstm.h"
#include "models/network/event_rnn_decoder_state.h"
#include "runtime/base/status.h"

namespace continuo {

absl::Status EventRnnDecoder::State::Project(const TensorView& below,
                                             const SparseView* sparse,
                                             const DenseParameters& dense,
                                             int64_t width,
                                             const TensorView& packed,
                                             const TensorView& out) {
  float* const weights = rnn->device_weights();
  const TensorView bias = ParameterView(weights, *dense.bias);
  if (sparse != nullptr) {
    return GatherSum(
        stream(), {.inputs = *sparse,
                   .weights = ParameterRows(weights, *dense.kernel, 0, width),
                   .bias = bias,
                   .out = out});
  }
  return Gemm(stream(), {.a = below, .b = packed, .bias = bias, .c = out});
}

absl::Status EventRnnDecoder::State::StepLayer(const LayerPlan& layer,
                                               const TensorView& below,
                                               const SparseView* sparse,
                                               TensorView* output) {
  DecoderLayer& state = layers[layer.index];
  const LayerPacks& layer_packs = packs.layers[layer.index];
  TensorView input = below;
  if (layer.projection.kernel != nullptr) {
    input = Rows(state.cell_input, rows);
    CONTINUO_RETURN_IF_ERROR(Project(below, sparse, layer.projection,
                                     layer.input,
                                     layer_packs.projection.forward, input));
    sparse = nullptr;
  }
  const TensorView gates = Rows(state.gates, rows);
  if (layer.attention) {
    const TensorView x = Rows(state.x, rows);
    CONTINUO_RETURN_IF_ERROR(Project(input, sparse, layer.wrapper, layer.width,
                                     layer_packs.cell_input.forward, x));
    *output = Rows(state.out, rows);
    CONTINUO_RETURN_IF_ERROR(AttentionStep(
        stream(), {.weights = MakeAttentionWeights(layer, layer_packs,
                                                   rnn->device_weights()),
                   .window = rnn->spec().attn_length,
                   .step = step,
                   .c_prev = Rows(state.c.now, rows),
                   .h_prev = Rows(state.h.now, rows),
                   .attention_prev = Rows(state.attention.now, rows),
                   .x = x,
                   .gates = gates,
                   .c = Rows(state.c.next, rows),
                   .h = Rows(state.h.next, rows),
                   .query = Rows(state.query, rows),
                   .probabilities = Rows(state.probabilities, rows),
                   .attention = Rows(state.attention.next, rows),
                   .out = *output,
                   .projected = Rows(state.projected, rows),
                   .window_states =
                       Slots(state.window_states.now, rnn->spec().attn_length),
                   .window_projected = Slots(state.window_projected.now,
                                             rnn->spec().attn_length),
                   .window_row = WindowRow(),
                   .scratch = attention_scratch}));
    state.attention.Swap();
  } else {
    CONTINUO_RETURN_IF_ERROR(Project(input, sparse, layer.lstm, layer.width,
                                     layer_packs.cell_input.forward, gates));
    *output = Rows(state.h.next, rows);
    CONTINUO_RETURN_IF_ERROR(
        LstmForward(stream(), {.ragged = ragged,
                               .recurrent = layer_packs.recurrent.forward,
                               .initial_c = Rows(state.c.now, rows),
                               .initial_h = Rows(state.h.now, rows),
                               .gates = gates,
                               .c = Rows(state.c.next, rows),
                               .h = *output,
                               .scratch = lstm_scratch}));
  }
  state.c.Swap();
  state.h.Swap();
  if (!layer.residual) return absl::OkStatus();
  const TensorView sum = Rows(state.output, rows);
  CONTINUO_RETURN_IF_ERROR(Sum(stream(), {.a = *output, .b = input, .c = sum}));
  *output = sum;
  return absl::OkStatus();
}

// The input of layer 0: x' = [x, a] K + b.
absl::Status EventRnnDecoder::State::BeforeStack(const SparseView& sparse,
                                                 TensorView* x) {
  const DecoderLayer& state = layers.back();
  *x = Rows(state.x, rows);
  CONTINUO_RETURN_IF_ERROR(Project(TensorView(), &sparse, plan.stack->wrapper,
                                   plan.stack->input, TensorView(), *x));
  return Gemm(stream(), {.a = Rows(state.attention.now, rows),
                         .b = packs.stack.attention_to_x.forward,
                         .c = *x,
                         .accumulate = true});
}

// From the new states of all layers to the output of the attention.
absl::Status EventRnnDecoder::State::AfterStack(TensorView* output) {
  DecoderLayer& state = layers.back();
  float* const weights = rnn->device_weights();
  const TensorView query = Rows(state.query, rows);
  for (size_t i = 0; i < packs.stack.query.size(); ++i) {
    const DecoderLayer& layer = layers[i / 2];
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(),
             {.a = Rows(i % 2 == 0 ? layer.c.now : layer.h.now, rows),
              .b = packs.stack.query[i].forward,
              .bias = i == 0 ? ParameterView(weights, *plan.stack->query.bias)
                             : TensorView(),
              .c = query,
              .accumulate = i > 0}));
  }
  const int64_t slots = rnn->spec().attn_length;
  const WindowArrays window = {
      .step = step,
      .states = Slots(state.window_states.now, slots),
      .projected = Slots(state.window_projected.now, slots),
      .row = WindowRow()};
  const TensorView attention = Rows(state.attention.next, rows);
  CONTINUO_RETURN_IF_ERROR(AttendWindow(
      stream(), {.window = window,
                 .score = ParameterView(weights, *plan.stack->attn_v),
                 .query = query,
                 .probabilities = Rows(state.probabilities, rows),
                 .attention = attention}));
  const TensorView out = Rows(state.out, rows);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = *output,
                      .b = packs.stack.h_to_out.forward,
                      .bias = ParameterView(weights, *plan.stack->out.bias),
                      .c = out}));
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = attention,
                      .b = packs.stack.attention_to_out.forward,
                      .c = out,
                      .accumulate = true}));
  const TensorView projected = Rows(state.projected, rows);
  CONTINUO_RETURN_IF_ERROR(Gemm(
      stream(), {.a = out, .b = packs.stack.attn_w.forward, .c = projected}));
  state.attention.Swap();
  *output = out;
  return EnterWindow(stream(),
                     {.window = window, .out = out, .projected = projected});
}

}  // namespace continuo
