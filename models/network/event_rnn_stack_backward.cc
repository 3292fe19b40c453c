// Backward of networks whose attention is around all layers, over the batch of
// the last forward pass: back through time step by step, then the gradients of
// the weights as products over all events.

#include "kernels/attention/attention_window.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/elementwise.h"
#include "kernels/lstm/lstm_step.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"

namespace continuo {

// Gradients of the attention's outputs; Backward has put there what the logits
// contribute.
TensorView EventRnnTrainer::State::StackDout() const {
  return Rows(backward.gradient[0], events(), plan.stack->units);
}

// From the gradients of the attention's output and of its query to that of x',
// through all layers at one step. `gates` hold dz afterwards.
absl::Status EventRnnTrainer::State::BackwardStackLayers(int64_t t,
                                                         const Pass& pass) {
  const int64_t begin = StepBegin(t);
  const int64_t rows = StepRows(t);
  const int64_t steps = batch->ragged.steps();
  const int64_t rows_after = t + 1 < steps ? StepRows(t + 1) : 0;
  const TensorView dquery = RowsFrom(stack.query, begin, rows);
  // What becomes the gradient of a layer's output, and the matrix.
  TensorView above = RowsFrom(StackDout(), begin, rows);
  TensorView above_t = packs.stack.h_to_out.transposed;
  for (int i = static_cast<int>(plan.layers.size()) - 1; i >= 0; --i) {
    const LayerArrays& arrays = layers[i];
    const LayerPacks& layer_packs = packs.layers[i];
    const int64_t n = plan.layers[i].units;
    const TensorView gates = RowsFrom(arrays.gates, begin, rows);
    const TensorView all_dh = Rows(backward.gradient[1], events(), n);
    const TensorView dh = RowsFrom(all_dh, begin, rows);
    const TensorView dc = Rows(backward.layer_dc[i], rows);
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(), {.a = above, .b = above_t, .c = dh}));
    if (pass.keep_prob < 1) {
      CONTINUO_RETURN_IF_ERROR(DropStep(t, i, pass, all_dh, all_dh));
    }
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(), {.a = dquery,
                        .b = packs.stack.query[2 * i + 1].transposed,
                        .c = dh,
                        .accumulate = true}));
    if (rows_after > 0) {
      CONTINUO_RETURN_IF_ERROR(Gemm(
          stream(), {.a = RowsFrom(arrays.gates, StepBegin(t + 1), rows_after),
                     .b = layer_packs.recurrent.transposed,
                     .c = Rows(dh, rows_after),
                     .accumulate = true}));
    }
    // Rows that end with this step have a zero here.
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(), {.a = dquery,
                        .b = packs.stack.query[2 * i].transposed,
                        .c = dc,
                        .accumulate = true}));
    CONTINUO_RETURN_IF_ERROR(LstmStepBackward(
        stream(), {.c_prev = t > 0 ? RowsFrom(arrays.c, StepBegin(t - 1), rows)
                                   : TensorView(),
                   .c = RowsFrom(arrays.c, begin, rows),
                   .gates = gates,
                   .dh = dh,
                   .dc = dc}));
    above = gates;
    above_t = layer_packs.cell_input.transposed;
  }
  return Gemm(
      stream(),
      {.a = above, .b = above_t, .c = RowsFrom(backward.dx, begin, rows)});
}

// All steps after t have been here: what they add to the output of step t and
// to its projection is there.
absl::Status EventRnnTrainer::State::BackwardStackStep(int64_t t,
                                                       const Pass& pass) {
  const int64_t begin = StepBegin(t);
  const int64_t rows = StepRows(t);
  const TensorView dout = RowsFrom(StackDout(), begin, rows);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = RowsFrom(backward.dprojected, begin, rows),
                      .b = packs.stack.attn_w.transposed,
                      .c = dout,
                      .accumulate = true}));
  const TensorView da = Rows(backward.da, rows);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(),
           {.a = dout, .b = packs.stack.attention_to_out.transposed, .c = da}));
  if (t + 1 < batch->ragged.steps()) {
    const int64_t rows_after = StepRows(t + 1);
    CONTINUO_RETURN_IF_ERROR(Gemm(
        stream(), {.a = RowsFrom(backward.dx, StepBegin(t + 1), rows_after),
                   .b = packs.stack.attention_to_x.transposed,
                   .c = Rows(da, rows_after),
                   .accumulate = true}));
  }
  const int64_t events = this->events();
  CONTINUO_RETURN_IF_ERROR(AttendWindowBackward(
      stream(), {.step = t,
                 .step_begin = batch->ragged.step_begin,
                 .out = Rows(stack.out, events),
                 .projected = Rows(stack.projected, events),
                 .score = ParameterView(weights(), *plan.stack->attn_v),
                 .probabilities = RowsFrom(stack.probabilities, begin, rows),
                 .dattention = da,
                 .query = RowsFrom(stack.query, begin, rows),
                 .dout = StackDout(),
                 .dprojected = Rows(backward.dprojected, events),
                 .dscore = backward.dv,
                 .dp = backward.dp}));
  return BackwardStackLayers(t, pass);
}

// `query` holds its gradient, the layers' gates those of z.
absl::Status EventRnnTrainer::State::StackWeightGradients() {
  const StackAttentionPlan& plan_of_stack = *plan.stack;
  const int64_t events = this->events();
  const int64_t n = plan_of_stack.units;
  const TensorView none;
  const auto part = [&](const Parameter* parameter, int64_t begin,
                        int64_t end) {
    return ParameterRows(gradient.data<float>(), *parameter, begin, end);
  };
  const auto whole = [&](const Parameter* parameter) {
    return ParameterView(gradient.data<float>(), *parameter);
  };
  const auto all = [&](const TensorView& view) { return Rows(view, events); };
  const TensorView dout = StackDout();
  const TensorView dx = all(backward.dx);
  const TensorView attention = all(stack.attention);
  const DenseParameters& wrapper = plan_of_stack.wrapper;
  const int64_t input = plan_of_stack.input;
  CONTINUO_RETURN_IF_ERROR(
      ScatterAdd(stream(), {.inputs = batch->inputs,
                            .dz = dx,
                            .dw = part(wrapper.kernel, 0, input),
                            .scratch = backward.scratch}));
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(none, false, dx, none, whole(wrapper.bias)));
  CONTINUO_RETURN_IF_ERROR(Accumulate(
      attention, true, dx, part(wrapper.kernel, input, input + n), none));

  const DenseParameters& query = plan_of_stack.query;
  const TensorView dquery = all(stack.query);
  TensorView below = all(stack.x);
  int64_t begin = 0;  // of the layer's states in the query
  for (const LayerPlan& layer : plan.layers) {
    const LayerArrays& arrays = layers[layer.index];
    const int64_t units = layer.units;
    const TensorView dz = all(arrays.gates);
    const TensorView h = all(arrays.h);
    CONTINUO_RETURN_IF_ERROR(Accumulate(below, false, dz,
                                        part(layer.lstm.kernel, 0, layer.width),
                                        whole(layer.lstm.bias)));
    CONTINUO_RETURN_IF_ERROR(Accumulate(
        h, true, dz, part(layer.lstm.kernel, layer.width, layer.width + units),
        none));
    CONTINUO_RETURN_IF_ERROR(
        Accumulate(all(arrays.c), false, dquery,
                   part(query.kernel, begin, begin + units), none));
    CONTINUO_RETURN_IF_ERROR(
        Accumulate(h, false, dquery,
                   part(query.kernel, begin + units, begin + 2 * units), none));
    below = outputs[layer.index];
    begin += 2 * units;
  }
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(none, false, dquery, none, whole(query.bias)));
  CONTINUO_RETURN_IF_ERROR(Accumulate(none, false,
                                      Rows(backward.dv, batch->shape().rows),
                                      none, whole(plan_of_stack.attn_v)));
  CONTINUO_RETURN_IF_ERROR(Accumulate(all(stack.out), false,
                                      all(backward.dprojected),
                                      whole(plan_of_stack.attn_w), none));
  const DenseParameters& out = plan_of_stack.out;
  CONTINUO_RETURN_IF_ERROR(
      Accumulate(below, false, dout, part(out.kernel, 0, n), whole(out.bias)));
  return Accumulate(attention, false, dout, part(out.kernel, n, 2 * n), none);
}

absl::Status EventRnnTrainer::State::BackwardStack(const Pass& pass) {
  CONTINUO_RETURN_IF_ERROR(
      Zero(stream(), {.x = Rows(backward.dprojected, events())}));
  CONTINUO_RETURN_IF_ERROR(Zero(stream(), {.x = backward.dv}));
  for (const TensorView& dc : backward.layer_dc) {
    CONTINUO_RETURN_IF_ERROR(Zero(stream(), {.x = dc}));
  }
  for (int64_t t = batch->ragged.steps() - 1; t >= 0; --t) {
    CONTINUO_RETURN_IF_ERROR(BackwardStackStep(t, pass));
  }
  return StackWeightGradients();
}

}  // namespace continuo
