// SPDX-License-Identifier: Apache-2.0

#include "models/layers/attention_lstm_layer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

// The order of the state tensors.
enum State { kC, kH, kAttention, kWindow, kProjectedWindow };

}  // namespace

AttentionLstmLayer::AttentionLstmLayer(const LayerShape& shape,
                                       ParameterList* parameters)
    : shape_(shape),
      wrapper_(parameters->AddKernel(
          absl::StrCat(shape.scope, "attention_cell_wrapper/"),
          shape.width + shape.units, shape.width)),
      lstm_(parameters->AddKernel(
          absl::StrCat(shape.scope, "attention_cell_wrapper/basic_lstm_cell/"),
          shape.width + shape.units, 4 * shape.units)),
      input_(wrapper_, shape.width, shape.sparse) {
  const int n = shape.units;
  const int w = shape.width;
  const std::string scope =
      absl::StrCat(shape.scope, "attention_cell_wrapper/attention/");
  attn_w_ = parameters->Add(absl::StrCat(scope, "attn_w"), {1, 1, n, n}, n, n);
  attn_v_ = parameters->Add(absl::StrCat(scope, "attn_v"), {n}, n, n);
  query_ = parameters->AddKernel(scope, 2 * n, n);
  out_ = parameters->AddKernel(
      absl::StrCat(shape.scope,
                   "attention_cell_wrapper/attn_output_projection/"),
      2 * n, n);
  attention_to_x_ = WeightMatrix(wrapper_.kernel, w, w + n);
  x_to_gates_ = WeightMatrix(lstm_.kernel, 0, w);
  recurrent_ = WeightMatrix(lstm_.kernel, w, w + n);
  c_to_query_ = WeightMatrix(query_.kernel, 0, n);
  h_to_query_ = WeightMatrix(query_.kernel, n, 2 * n);
  project_ = WeightMatrix(attn_w_);
  h_to_out_ = WeightMatrix(out_.kernel, 0, n);
  attention_to_out_ = WeightMatrix(out_.kernel, n, 2 * n);
  Packed({&input_}, {&attention_to_x_, &x_to_gates_, &recurrent_, &c_to_query_,
                     &h_to_query_, &project_, &h_to_out_, &attention_to_out_});
}

AttentionWeights AttentionLstmLayer::Weights(float* flat) const {
  return {.attention_to_x = attention_to_x_.packed(),
          .x_to_gates = x_to_gates_.packed(),
          .gates_bias = ParameterView(flat, lstm_.bias),
          .recurrent = recurrent_.packed(),
          .c_to_query = c_to_query_.packed(),
          .h_to_query = h_to_query_.packed(),
          .query_bias = ParameterView(flat, query_.bias),
          .project = project_.packed(),
          .score = ParameterView(flat, attn_v_),
          .h_to_out = h_to_out_.packed(),
          .attention_to_out = attention_to_out_.packed(),
          .out_bias = ParameterView(flat, out_.bias)};
}

AttentionTransposes AttentionLstmLayer::Transposes() const {
  return {.attention_to_x = attention_to_x_.transposed(),
          .x_to_gates = x_to_gates_.transposed(),
          .recurrent = recurrent_.transposed(),
          .c_to_query = c_to_query_.transposed(),
          .h_to_query = h_to_query_.transposed(),
          .project = project_.transposed(),
          .h_to_out = h_to_out_.transposed(),
          .attention_to_out = attention_to_out_.transposed()};
}

void AttentionLstmLayer::PlanArrays(const std::string& what,
                                    const Stream& stream, int64_t rows,
                                    Arena* arena) {
  const int64_t n = shape_.units;
  const auto allocate = [&](int64_t columns) {
    return arena->Allocate<float>(what, {rows, columns});
  };
  arrays_.gates = arena->Allocate(what, GateType(stream), {rows, 4 * n});
  arrays_.x = allocate(shape_.width);
  arrays_.query = allocate(n);
  arrays_.probabilities = allocate(shape_.attn_length);
  arrays_.out = allocate(n);
  arrays_.projected = allocate(n);
  const int64_t scratch = AttentionScratch(stream, rows, n, shape_.width);
  if (scratch > 0) {
    arrays_.scratch = arena->Allocate<float>("attention", {scratch});
  }
}

void AttentionLstmLayer::PlanBatch(BatchPlan* plan) {
  const std::string what = shape_.What("activations");
  const int64_t n = shape_.units;
  const int64_t slots = shape_.attn_length;
  PlanArrays(what, plan->stream, plan->events, plan->arena);
  for (TensorView* array : {&arrays_.c, &arrays_.h, &arrays_.attention}) {
    *array = plan->arena->Allocate<float>(what, {plan->events, n});
  }
  for (TensorView& window : arrays_.window) {
    window = plan->arena->Allocate<float>(what, {plan->rows, slots, n});
  }
  if (!plan->backward) return;
  const auto allocate = [&](int64_t rows, int64_t columns) {
    return plan->arena->Allocate<float>("activation gradients",
                                        {rows, columns});
  };
  gradients_.x = allocate(plan->events, shape_.width);
  gradients_.projected = allocate(plan->events, n);
  for (TensorView* array : {&gradients_.h, &gradients_.c, &gradients_.attention,
                            &gradients_.score}) {
    *array = allocate(plan->rows, n);
  }
  gradients_.probabilities = allocate(plan->rows, slots);
  for (TensorView& window : gradients_.window) {
    window = allocate(plan->rows, slots * n);
  }
  input_.PlanBackward(plan);
  plan->NeedGradientScratch(shape_.width, 4 * n);  // grows with both
  plan->NeedGradientScratch(n, 4 * n);
  plan->NeedGradientScratch(n, shape_.width);
}

absl::Status AttentionLstmLayer::Forward(const LayerPass& pass,
                                         const LayerInput& input,
                                         TensorView* output) {
  const int64_t events = pass.events;
  const TensorView x = Rows(arrays_.x, events);
  CONTINUO_RETURN_IF_ERROR(input_.Forward(pass.stream, pass.weights, input, x));
  *output = Rows(arrays_.out, events);
  return AttentionForward(pass.stream,
                          {.ragged = pass.ragged,
                           .weights = Weights(pass.weights),
                           .window = shape_.attn_length,
                           .x = x,
                           .gates = Rows(arrays_.gates, events),
                           .c = Rows(arrays_.c, events),
                           .h = Rows(arrays_.h, events),
                           .query = Rows(arrays_.query, events),
                           .probabilities = Rows(arrays_.probabilities, events),
                           .attention = Rows(arrays_.attention, events),
                           .out = *output,
                           .projected = Rows(arrays_.projected, events),
                           .window_states = arrays_.window[0],
                           .window_projected = arrays_.window[1],
                           .scratch = arrays_.scratch});
}

// `gates` hold the gradient of z, `query` that of the query.
absl::Status AttentionLstmLayer::WeightGradients(
    const LayerPass& pass, const TensorView& doutput) const {
  float* const flat = pass.gradient;
  const int64_t events = pass.events;
  const TensorView none;
  const TensorView dz = Rows(arrays_.gates, events);
  const TensorView dquery = Rows(arrays_.query, events);
  const TensorView h = Rows(arrays_.h, events);
  const TensorView attention = Rows(arrays_.attention, events);
  struct Product {
    TensorView x;
    bool shifted;
    TensorView dz;
    TensorView dw;
    TensorView db;
  };
  const Product products[] = {
      {Rows(arrays_.x, events), false, dz, x_to_gates_.Rows(flat),
       ParameterView(flat, lstm_.bias)},
      {h, true, dz, recurrent_.Rows(flat), none},
      {attention, true, Rows(gradients_.x, events), attention_to_x_.Rows(flat),
       none},
      {Rows(arrays_.c, events), false, dquery, c_to_query_.Rows(flat),
       ParameterView(flat, query_.bias)},
      {h, false, dquery, h_to_query_.Rows(flat), none},
      {Rows(arrays_.out, events), false, Rows(gradients_.projected, events),
       project_.Rows(flat), none},
      {h, false, doutput, h_to_out_.Rows(flat), ParameterView(flat, out_.bias)},
      {attention, false, doutput, attention_to_out_.Rows(flat), none}};
  for (const Product& p : products) {
    CONTINUO_RETURN_IF_ERROR(pass.Accumulate(p.x, p.shifted, p.dz, p.dw, p.db));
  }
  return absl::OkStatus();
}

absl::Status AttentionLstmLayer::Backward(const LayerPass& pass,
                                          const LayerInput& input,
                                          const TensorView& doutput,
                                          const TensorView& dinput, bool add) {
  const int64_t events = pass.events;
  const int64_t rows = pass.rows;
  const TensorView gates = Rows(arrays_.gates, events);
  const TensorView query = Rows(arrays_.query, events);
  const TensorView dx = Rows(gradients_.x, events);
  const TensorView dprojected = Rows(gradients_.projected, events);
  CONTINUO_RETURN_IF_ERROR(AttentionBackward(
      pass.stream, {.ragged = pass.ragged,
                    .weights = Transposes(),
                    .score = ParameterView(pass.weights, attn_v_),
                    .window = shape_.attn_length,
                    .gates = gates,
                    .c = Rows(arrays_.c, events),
                    .query = query,
                    .probabilities = Rows(arrays_.probabilities, events),
                    .out = Rows(arrays_.out, events),
                    .projected = Rows(arrays_.projected, events),
                    .dout = doutput,
                    .dprojected = dprojected,
                    .dx = dx,
                    .dscore = ParameterView(pass.gradient, attn_v_),
                    .dh = Rows(gradients_.h, rows),
                    .dc = Rows(gradients_.c, rows),
                    .da = Rows(gradients_.attention, rows),
                    .dv = Rows(gradients_.score, rows),
                    .dp = Rows(gradients_.probabilities, rows),
                    .window_states = arrays_.window[0],
                    .window_projected = arrays_.window[1],
                    .window_dstates = gradients_.window[0],
                    .window_dprojected = gradients_.window[1],
                    .forward = Weights(pass.weights),
                    .scratch = arrays_.scratch}));
  CONTINUO_RETURN_IF_ERROR(
      pass.ZeroTails({gates, query, doutput, dprojected, dx}));
  CONTINUO_RETURN_IF_ERROR(WeightGradients(pass, doutput));
  return input_.Backward(pass, input, dx, /*bias=*/true, dinput, add);
}

void AttentionLstmLayer::PlanSteps(const Stream& stream, int64_t max_rows,
                                   Arena* arena,
                                   std::vector<StateTensor>* states) {
  const std::string what = shape_.What("state");
  PlanArrays(what, stream, max_rows, arena);
  for (int i = 0; i < 3; ++i) {  // c, h and the attention vector
    states->push_back(AllocateState(what, max_rows, shape_.units, arena));
  }
  for (const bool derived : {false, true}) {
    states->push_back(AllocateWindow(stream, max_rows, shape_.attn_length,
                                     shape_.units, derived, arena));
  }
}

absl::Status AttentionLstmLayer::Step(const DecodeStep& step,
                                      const LayerInput& input,
                                      absl::Span<StateTensor> states,
                                      TensorView* output) {
  const int64_t rows = step.rows;
  const TensorView x = Rows(arrays_.x, rows);
  CONTINUO_RETURN_IF_ERROR(input_.Forward(step.stream, step.weights, input, x));
  *output = Rows(arrays_.out, rows);
  CONTINUO_RETURN_IF_ERROR(AttentionStep(
      step.stream, {.weights = Weights(step.weights),
                    .window = shape_.attn_length,
                    .step = step.step,
                    .c_prev = Rows(states[kC].now, rows),
                    .h_prev = Rows(states[kH].now, rows),
                    .attention_prev = Rows(states[kAttention].now, rows),
                    .x = x,
                    .gates = Rows(arrays_.gates, rows),
                    .c = Rows(states[kC].next, rows),
                    .h = Rows(states[kH].next, rows),
                    .query = Rows(arrays_.query, rows),
                    .probabilities = Rows(arrays_.probabilities, rows),
                    .attention = Rows(states[kAttention].next, rows),
                    .out = *output,
                    .projected = Rows(arrays_.projected, rows),
                    .window_states = states[kWindow].Slots(),
                    .window_projected = states[kProjectedWindow].Slots(),
                    .window_row = step.window_row,
                    .scratch = arrays_.scratch}));
  for (const State state : {kC, kH, kAttention}) states[state].Swap();
  return absl::OkStatus();
}

}  // namespace continuo
