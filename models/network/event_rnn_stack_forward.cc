// Forward of networks whose attention is around all layers (TensorFlow 0.x).
//
// The input of layer 0 reads the attention vector of the step before, which
// reads the states of all layers: they go through time together, step by step.
// Only the sparse inputs and the logits are products over all events. On a GPU
// that is some twenty launches a step; such networks are old ones that are
// tuned or evaluated, not trained for days.

#include "kernels/attention/attention_window.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/dropout.h"
#include "kernels/lstm/lstm.h"
#include "models/network/event_rnn_trainer_state.h"
#include "runtime/base/status.h"

namespace continuo {

int64_t EventRnnTrainer::State::StepBegin(int64_t t) const {
  return batch->ragged.host_step_begin[t];
}
int64_t EventRnnTrainer::State::StepRows(int64_t t) const {
  return batch->ragged.host_batch_sizes[t];
}

// Step t alone, of arrays with all events.
RaggedLayout EventRnnTrainer::State::StepLayout(int64_t t) const {
  const RaggedLayout& all = batch->ragged;
  return {.batch_sizes = TensorView(all.batch_sizes.data<int32_t>() + t, {1}),
          .step_begin = TensorView(all.step_begin.data<int32_t>() + t, {2}),
          .rows = StepRows(t),
          .host_batch_sizes = all.host_batch_sizes + t,
          .host_step_begin = all.host_step_begin + t};
}

// Dropout of a layer at one step, of arrays with all events.
absl::Status EventRnnTrainer::State::DropStep(int64_t t, int layer,
                                              const Pass& pass,
                                              const TensorView& x,
                                              const TensorView& out) {
  return Dropout(stream(), {.ragged = StepLayout(t),
                            .source = batch->source,
                            .x = x,
                            .out = out,
                            .keep_prob = pass.keep_prob,
                            .seed = pass.seed,
                            .step = batch->dropout_step,
                            .first_step = t,
                            .layer = layer});
}

// From the new states of all layers to the output of the attention, which
// enters the window.
absl::Status EventRnnTrainer::State::AttendStack(int64_t t) {
  const StackAttentionPacks& stack_packs = packs.stack;
  const int64_t begin = StepBegin(t);
  const int64_t rows = StepRows(t);
  const auto at = [&](const TensorView& view) {
    return RowsFrom(view, begin, rows);
  };
  const TensorView query = at(stack.query);
  for (size_t i = 0; i < stack_packs.query.size(); ++i) {
    const LayerArrays& layer = layers[i / 2];
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(),
             {.a = at(i % 2 == 0 ? layer.c : layer.h),
              .b = stack_packs.query[i].forward,
              .bias = i == 0 ? ParameterView(weights(), *plan.stack->query.bias)
                             : TensorView(),
              .c = query,
              .accumulate = i > 0}));
  }
  const WindowArrays window = {
      .step = t,
      .states = stack.window[0],
      .projected = stack.window[1],
      .row = TensorView(window_row.data<int32_t>(), {rows})};
  const TensorView attention = at(stack.attention);
  CONTINUO_RETURN_IF_ERROR(AttendWindow(
      stream(), {.window = window,
                 .score = ParameterView(weights(), *plan.stack->attn_v),
                 .query = query,
                 .probabilities = at(stack.probabilities),
                 .attention = attention}));
  const TensorView out = at(stack.out);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = at(outputs.back()),
                      .b = stack_packs.h_to_out.forward,
                      .bias = ParameterView(weights(), *plan.stack->out.bias),
                      .c = out}));
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream(), {.a = attention,
                      .b = stack_packs.attention_to_out.forward,
                      .c = out,
                      .accumulate = true}));
  const TensorView projected = at(stack.projected);
  CONTINUO_RETURN_IF_ERROR(Gemm(
      stream(), {.a = out, .b = stack_packs.attn_w.forward, .c = projected}));
  return EnterWindow(stream(),
                     {.window = window, .out = out, .projected = projected});
}

absl::Status EventRnnTrainer::State::ForwardStackStep(int64_t t,
                                                      const Pass& pass) {
  const int64_t begin = StepBegin(t);
  const int64_t rows = StepRows(t);
  const auto before = [&](const TensorView& view) {
    return t > 0 ? RowsFrom(view, StepBegin(t - 1), rows) : TensorView();
  };
  TensorView below = RowsFrom(stack.x, begin, rows);
  if (t > 0) {
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(), {.a = before(stack.attention),
                        .b = packs.stack.attention_to_x.forward,
                        .c = below,
                        .accumulate = true}));
  }
  for (const LayerPlan& layer : plan.layers) {
    const LayerArrays& arrays = layers[layer.index];
    const LayerPacks& layer_packs = packs.layers[layer.index];
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream(), {.a = below,
                        .b = layer_packs.cell_input.forward,
                        .bias = ParameterView(weights(), *layer.lstm.bias),
                        .c = RowsFrom(arrays.gates, begin, rows)}));
    CONTINUO_RETURN_IF_ERROR(
        LstmForward(stream(), {.ragged = StepLayout(t),
                               .recurrent = layer_packs.recurrent.forward,
                               .initial_c = before(arrays.c),
                               .initial_h = before(arrays.h),
                               .gates = arrays.gates,
                               .c = arrays.c,
                               .h = arrays.h,
                               .scratch = lstm_scratch}));
    const TensorView& output = outputs[layer.index];
    if (pass.keep_prob < 1) {
      CONTINUO_RETURN_IF_ERROR(
          DropStep(t, layer.index, pass, arrays.h, output));
    }
    below = RowsFrom(output, begin, rows);
  }
  return AttendStack(t);
}

absl::Status EventRnnTrainer::State::ForwardStack(const Pass& pass) {
  for (const LayerArrays& arrays : layers) {
    outputs.push_back(
        Rows(pass.keep_prob < 1 ? arrays.output : arrays.h, events()));
  }
  CONTINUO_RETURN_IF_ERROR(Project(TensorView(), /*sparse=*/true,
                                   plan.stack->wrapper, plan.stack->input,
                                   TensorView(), Rows(stack.x, events())));
  for (int64_t t = 0; t < batch->ragged.steps(); ++t) {
    CONTINUO_RETURN_IF_ERROR(ForwardStackStep(t, pass));
  }
  return absl::OkStatus();
}

}  // namespace continuo
