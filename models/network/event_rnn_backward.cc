// Backward over the batch of the last forward pass.

#include "kernels/attention/attention.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/elementwise.h"
#include "kernels/lstm/lstm.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"

namespace continuo {

// dw += x^T dz, db += sums of dz. `shifted`: x is that of the event before.
absl::Status EventRnnTrainer::State::Accumulate(const TensorView& x,
                                                bool shifted,
                                                const TensorView& dz,
                                                const TensorView& dw,
                                                const TensorView& db) {
  return WeightGradient(stream(),
                        {.x = x,
                         .rows = shifted ? batch->previous : TensorView(),
                         .dz = dz,
                         .dw = dw,
                         .db = db,
                         .scratch = backward.scratch});
}

// Zeroes what recorded arrays of gradients hold beyond the batch: products sum
// over all their rows. (Gradients of logits are zero there from the loss on, so
// that products of them are too, until an operation adds others.)
absl::Status EventRnnTrainer::State::DropTail(
    std::initializer_list<TensorView> gradients) {
  if (!recorded) return absl::OkStatus();
  for (const TensorView& x : gradients) {
    CONTINUO_RETURN_IF_ERROR(
        ZeroTail(stream(), {.ragged = batch->ragged, .x = x}));
  }
  return absl::OkStatus();
}

// The cell's own backward pass: activation gradients and the gradients of all
// weights but those of its input, with the LSTM's bias. *dz receives the
// gradient of the product of the cell's input: of z, or of x' of the attention
// wrapper.
absl::Status EventRnnTrainer::State::BackwardCell(const LayerPlan& layer,
                                                  const TensorView& doutput,
                                                  TensorView* dz) {
  const LayerArrays& arrays = layers[layer.index];
  const LayerPacks& layer_packs = packs.layers[layer.index];
  const int64_t n = layer.units;
  const int64_t events = this->events();
  const int64_t rows = batch->shape().rows;
  const TensorView gates = Rows(arrays.gates, events);
  const TensorView c = Rows(arrays.c, events);
  const TensorView h = Rows(arrays.h, events);
  const TensorView no_bias;
  const auto part = [&](const Parameter* parameter, int64_t begin,
                        int64_t end) {
    return ParameterRows(gradient.data<float>(), *parameter, begin, end);
  };
  const auto whole = [&](const Parameter* parameter) {
    return ParameterView(gradient.data<float>(), *parameter);
  };
  if (!layer.attention) {
    CONTINUO_RETURN_IF_ERROR(
        LstmBackward(stream(), {.ragged = batch->ragged,
                                .recurrent_t = layer_packs.recurrent.transposed,
                                .c = c,
                                .gates = gates,
                                .dh = doutput,
                                .dc = Rows(backward.dc, rows, n),
                                .scratch = lstm_scratch}));
    CONTINUO_RETURN_IF_ERROR(DropTail({gates}));
    *dz = gates;
    return Accumulate(h, true, gates,
                      part(layer.lstm.kernel, layer.width, layer.width + n),
                      whole(layer.lstm.bias));
  }
  const TensorView x = Rows(arrays.x, events);
  const TensorView query = Rows(arrays.query, events);
  const TensorView attention = Rows(arrays.attention, events);
  const TensorView out = Rows(arrays.out, events);
  const TensorView dprojected = Rows(backward.dprojected, events);
  const TensorView dx = Rows(backward.dx, events);
  CONTINUO_RETURN_IF_ERROR(AttentionBackward(
      stream(), {.ragged = batch->ragged,
                 .weights = MakeAttentionTransposes(layer_packs),
                 .score = ParameterView(weights(), *layer.attn_v),
                 .window = rnn->spec().attn_length,
                 .gates = gates,
                 .c = c,
                 .query = query,
                 .probabilities = Rows(arrays.probabilities, events),
                 .out = out,
                 .projected = Rows(arrays.projected, events),
                 .dout = doutput,
                 .dprojected = dprojected,
                 .dx = dx,
                 .dscore = whole(layer.attn_v),
                 .dh = Rows(backward.dh, rows, n),
                 .dc = Rows(backward.dc, rows, n),
                 .da = Rows(backward.da, rows, n),
                 .dv = Rows(backward.dv, rows, n),
                 .dp = Rows(backward.dp, rows),
                 .window_states = arrays.window[0],
                 .window_projected = arrays.window[1],
                 .window_dstates = backward.window[0],
                 .window_dprojected = backward.window[1],
                 .forward = MakeAttentionWeights(layer, layer_packs, weights()),
                 .scratch = attention_scratch}));
  CONTINUO_RETURN_IF_ERROR(DropTail({gates, query, doutput, dprojected, dx}));
  const int64_t w = layer.width;
  // `query` now holds its gradient.
  CONTINUO_RETURN_IF_ERROR(Accumulate(
      x, false, gates, part(layer.lstm.kernel, 0, w), whole(layer.lstm.bias)));
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(h, true, gates, part(layer.lstm.kernel, w, w + n), no_bias));
  CONTINUO_RETURN_IF_ERROR(Accumulate(
      attention, true, dx, part(layer.wrapper.kernel, w, w + n), no_bias));
  CONTINUO_RETURN_IF_ERROR(Accumulate(c, false, query,
                                      part(layer.query.kernel, 0, n),
                                      whole(layer.query.bias)));
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(h, false, query, part(layer.query.kernel, n, 2 * n), no_bias));
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(out, false, dprojected, whole(layer.attn_w), no_bias));
  CONTINUO_RETURN_IF_ERROR(Accumulate(
      h, false, doutput, part(layer.out.kernel, 0, n), whole(layer.out.bias)));
  *dz = dx;
  return Accumulate(attention, false, doutput, part(layer.out.kernel, n, 2 * n),
                    no_bias);
}

// Gradients of the cell's weights and, into dinput or (residual connections)
// added to it, of its dense input.
absl::Status EventRnnTrainer::State::BackwardOwnCell(const LayerPlan& layer,
                                                     const TensorView& input,
                                                     const TensorView& doutput,
                                                     const TensorView& dinput) {
  float* const flat = gradient.data<float>();
  TensorView dz;
  CONTINUO_RETURN_IF_ERROR(BackwardCell(layer, doutput, &dz));
  const DenseParameters& cell = layer.attention ? layer.wrapper : layer.lstm;
  const TensorView dcell = ParameterRows(flat, *cell.kernel, 0, layer.width);
  // The attention wrapper's; that of an LSTM is summed.
  const TensorView dbias =
      layer.attention ? ParameterView(flat, *cell.bias) : TensorView();
  if (layer.sparse_cell()) {
    CONTINUO_RETURN_IF_ERROR(
        ScatterAdd(stream(), {.inputs = batch->inputs,
                              .dz = dz,
                              .dw = dcell,
                              .scratch = backward.scratch}));
    if (!dbias) return absl::OkStatus();
    return Accumulate(TensorView(), false, dz, TensorView(), dbias);
  }
  CONTINUO_RETURN_IF_ERROR(Accumulate(input, false, dz, dcell, dbias));
  return Gemm(stream(), {.a = dz,
                         .b = packs.layers[layer.index].cell_input.transposed,
                         .c = dinput,
                         .accumulate = layer.residual});
}

// Gradients of one layer's weights; `dbelow` receives the gradient of a dense
// input (not given: the input is sparse). Overwrites doutput.
absl::Status EventRnnTrainer::State::BackwardLayer(const LayerPlan& layer,
                                                   const TensorView& below,
                                                   const Pass& pass,
                                                   const TensorView& doutput,
                                                   const TensorView& dbelow) {
  const LayerPacks& layer_packs = packs.layers[layer.index];
  const bool projected = layer.projection.kernel != nullptr;
  float* const flat = gradient.data<float>();
  if (pass.keep_prob < 1) {
    CONTINUO_RETURN_IF_ERROR(Dropout(stream(), {.ragged = batch->ragged,
                                                .source = batch->source,
                                                .x = doutput,
                                                .out = doutput,
                                                .keep_prob = pass.keep_prob,
                                                .seed = pass.seed,
                                                .step = batch->dropout_step,
                                                .layer = layer.index}));
  }
  TensorView dinput = dbelow;
  if (layer.residual) {
    if (projected) dinput = Rows(backward.dcell_input, events(), layer.width);
    CONTINUO_RETURN_IF_ERROR(Copy(stream(), {.from = doutput, .to = dinput}));
  }
  const TensorView input =
      projected ? Rows(layers[layer.index].cell_input, events()) : below;
  CONTINUO_RETURN_IF_ERROR(
      UsesCudnn(layer) ? CudnnBackward(layer, input, doutput, dinput)
                       : BackwardOwnCell(layer, input, doutput, dinput));
  if (!projected) return absl::OkStatus();
  const TensorView dprojection = ParameterView(flat, *layer.projection.kernel);
  const TensorView dprojection_bias =
      ParameterView(flat, *layer.projection.bias);
  if (layer.sparse) {
    CONTINUO_RETURN_IF_ERROR(
        ScatterAdd(stream(), {.inputs = batch->inputs,
                              .dz = dinput,
                              .dw = dprojection,
                              .scratch = backward.scratch}));
    return Accumulate(TensorView(), false, dinput, TensorView(),
                      dprojection_bias);
  }
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(below, false, dinput, dprojection, dprojection_bias));
  return Gemm(
      stream(),
      {.a = dinput, .b = layer_packs.projection.transposed, .c = dbelow});
}

// Layer after layer, from the gradient of the last one's output.
absl::Status EventRnnTrainer::State::BackwardLayers(const Pass& pass) {
  const int64_t events = this->events();
  const int num_layers = static_cast<int>(plan.layers.size());
  int turn = 0;
  TensorView doutput =
      Rows(backward.gradient[turn], events, plan.layers.back().units);
  for (int i = num_layers - 1; i >= 0; --i) {
    const LayerPlan& layer = plan.layers[i];
    turn = 1 - turn;
    TensorView below;
    TensorView dbelow;
    if (i > 0) {
      below = outputs[i - 1];
      dbelow = Rows(backward.gradient[turn], events, layer.input);
    }
    CONTINUO_RETURN_IF_ERROR(
        BackwardLayer(layer, below, pass, doutput, dbelow));
    doutput = dbelow;
  }
  return absl::OkStatus();
}

absl::Status EventRnnTrainer::State::Backward(const Pass& pass) {
  float* const flat = gradient.data<float>();
  CONTINUO_RETURN_IF_ERROR(Zero(stream(), {.x = gradient}));
  const TensorView dz = Rows(dlogits, events());
  CONTINUO_RETURN_IF_ERROR(Accumulate(network_output(), false, dz,
                                      ParameterView(flat, *plan.logits.kernel),
                                      ParameterView(flat, *plan.logits.bias)));
  CONTINUO_RETURN_IF_ERROR(Gemm(
      stream(),
      {.a = dz,
       .b = packs.logits.transposed,
       .c = Rows(backward.gradient[0], events(), plan.layers.back().units)}));
  return plan.stack.has_value() ? BackwardStack(pass) : BackwardLayers(pass);
}

}  // namespace continuo
