// SPDX-License-Identifier: Apache-2.0

// Backward of the attention around all layers: back through time step by step,
// then the gradients of the weights as products over all events.

#include "kernels/attention/attention_window.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/elementwise.h"
#include "kernels/lstm/lstm_step.h"
#include "models/layers/outer_attention.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {

// From the gradients of the attention's output and of its query to that of x',
// through all layers at one step. `gates` hold dz afterwards.
absl::Status OuterAttention::BackwardCells(const LayerPass& pass,
                                           const TensorView& doutput,
                                           int64_t t) const {
  const Stream& stream = pass.stream;
  const OneStep step = BatchStep(pass, t);
  const int64_t begin = pass.ragged.host_step_begin[t];
  const int64_t rows = pass.ragged.host_batch_sizes[t];
  const bool last = t + 1 == pass.ragged.steps();
  const int64_t rows_after = last ? 0 : pass.ragged.host_batch_sizes[t + 1];
  const TensorView& dquery = step.query;
  // What becomes the gradient of a layer's output, and the matrix.
  TensorView above = RowsFrom(doutput, begin, rows);
  TensorView above_t = h_to_out_.transposed();
  for (size_t i = cells_.size(); i-- > 0;) {
    const LstmLayer& layer = *cells_[i];
    const CellStep& cell = step.cells[i];
    const TensorView all_dh =
        Rows(gradients_.h, pass.events, layer.shape().units);
    const TensorView dh = RowsFrom(all_dh, begin, rows);
    const TensorView dc = Rows(gradients_.c[i], rows);
    CONTINUO_RETURN_IF_ERROR(Gemm(stream, {.a = above, .b = above_t, .c = dh}));
    if (pass.keep_prob < 1) {
      CONTINUO_RETURN_IF_ERROR(Dropout(stream, {.ragged = step.ragged,
                                                .source = pass.source,
                                                .x = all_dh,
                                                .out = all_dh,
                                                .keep_prob = pass.keep_prob,
                                                .seed = pass.seed,
                                                .step = pass.dropout_step,
                                                .first_step = t,
                                                .layer = layer.shape().index}));
    }
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream, {.a = dquery,
                      .b = state_to_query_[2 * i + 1].transposed(),
                      .c = dh,
                      .accumulate = true}));
    if (rows_after > 0) {
      CONTINUO_RETURN_IF_ERROR(
          Gemm(stream,
               {.a = RowsFrom(layer.arrays().gates,
                              pass.ragged.host_step_begin[t + 1], rows_after),
                .b = layer.recurrent().transposed(),
                .c = Rows(dh, rows_after),
                .accumulate = true}));
    }
    // Rows that end with this step have a zero here.
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream, {.a = dquery,
                      .b = state_to_query_[2 * i].transposed(),
                      .c = dc,
                      .accumulate = true}));
    CONTINUO_RETURN_IF_ERROR(LstmStepBackward(stream, {.c_prev = cell.initial_c,
                                                       .c = cell.c,
                                                       .gates = cell.gates,
                                                       .dh = dh,
                                                       .dc = dc}));
    above = cell.gates;
    above_t = layer.input().kernel().transposed();
  }
  return Gemm(
      stream,
      {.a = above, .b = above_t, .c = RowsFrom(gradients_.x, begin, rows)});
}

// All steps after t have been here: what they add to the output of step t and
// to its projection is there.
absl::Status OuterAttention::BackwardStep(const LayerPass& pass,
                                          const TensorView& doutput,
                                          int64_t t) const {
  const Stream& stream = pass.stream;
  const int64_t begin = pass.ragged.host_step_begin[t];
  const int64_t rows = pass.ragged.host_batch_sizes[t];
  const TensorView dout = RowsFrom(doutput, begin, rows);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream, {.a = RowsFrom(gradients_.projected, begin, rows),
                    .b = project_.transposed(),
                    .c = dout,
                    .accumulate = true}));
  const TensorView da = Rows(gradients_.attention, rows);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream, {.a = dout, .b = attention_to_out_.transposed(), .c = da}));
  if (t + 1 < pass.ragged.steps()) {
    const int64_t rows_after = pass.ragged.host_batch_sizes[t + 1];
    CONTINUO_RETURN_IF_ERROR(Gemm(
        stream, {.a = RowsFrom(gradients_.x, pass.ragged.host_step_begin[t + 1],
                               rows_after),
                 .b = attention_to_x_.transposed(),
                 .c = Rows(da, rows_after),
                 .accumulate = true}));
  }
  CONTINUO_RETURN_IF_ERROR(AttendWindowBackward(
      stream, {.step = t,
               .step_begin = pass.ragged.step_begin,
               .out = Rows(arrays_.out, pass.events),
               .projected = Rows(arrays_.projected, pass.events),
               .score = ParameterView(pass.weights, attn_v_),
               .probabilities = RowsFrom(arrays_.probabilities, begin, rows),
               .dattention = da,
               .query = RowsFrom(arrays_.query, begin, rows),
               .dout = doutput,
               .dprojected = Rows(gradients_.projected, pass.events),
               .dscore = gradients_.score,
               .dp = gradients_.probabilities}));
  return BackwardCells(pass, doutput, t);
}

// Of the layers' own weights and of those that make the query of their states.
absl::Status OuterAttention::CellGradients(const LayerPass& pass) const {
  float* const flat = pass.gradient;
  const TensorView none;
  const TensorView dquery = Rows(arrays_.query, pass.events);
  TensorView below = Rows(arrays_.x, pass.events);
  for (size_t i = 0; i < cells_.size(); ++i) {
    const LstmLayer& layer = *cells_[i];
    const TensorView dz = Rows(layer.arrays().gates, pass.events);
    const TensorView h = Rows(layer.arrays().h, pass.events);
    const TensorView c = Rows(layer.arrays().c, pass.events);
    CONTINUO_RETURN_IF_ERROR(
        pass.Accumulate(below, false, dz, layer.input().kernel().Rows(flat),
                        ParameterView(flat, layer.input().bias())));
    CONTINUO_RETURN_IF_ERROR(
        pass.Accumulate(h, true, dz, layer.recurrent().Rows(flat), none));
    CONTINUO_RETURN_IF_ERROR(pass.Accumulate(
        c, false, dquery, state_to_query_[2 * i].Rows(flat), none));
    CONTINUO_RETURN_IF_ERROR(pass.Accumulate(
        h, false, dquery, state_to_query_[2 * i + 1].Rows(flat), none));
    below = results_[i];
  }
  return absl::OkStatus();
}

// `query` holds its gradient, the layers' gates those of z.
absl::Status OuterAttention::WeightGradients(const LayerPass& pass,
                                             const LayerInput& input,
                                             const TensorView& doutput) const {
  float* const flat = pass.gradient;
  const int64_t events = pass.events;
  const TensorView none;
  const TensorView dx = Rows(gradients_.x, events);
  const TensorView attention = Rows(arrays_.attention, events);
  CONTINUO_RETURN_IF_ERROR(
      input_.Backward(pass, input, dx, /*bias=*/true, none, /*add=*/false));
  CONTINUO_RETURN_IF_ERROR(
      pass.Accumulate(attention, true, dx, attention_to_x_.Rows(flat), none));
  CONTINUO_RETURN_IF_ERROR(CellGradients(pass));
  CONTINUO_RETURN_IF_ERROR(pass.Accumulate(none, false,
                                           Rows(arrays_.query, events), none,
                                           ParameterView(flat, query_.bias)));
  CONTINUO_RETURN_IF_ERROR(pass.Accumulate(none, false,
                                           Rows(gradients_.score, pass.rows),
                                           none, ParameterView(flat, attn_v_)));
  CONTINUO_RETURN_IF_ERROR(pass.Accumulate(Rows(arrays_.out, events), false,
                                           Rows(gradients_.projected, events),
                                           project_.Rows(flat), none));
  CONTINUO_RETURN_IF_ERROR(pass.Accumulate(results_.back(), false, doutput,
                                           h_to_out_.Rows(flat),
                                           ParameterView(flat, out_.bias)));
  return pass.Accumulate(attention, false, doutput,
                         attention_to_out_.Rows(flat), none);
}

absl::Status OuterAttention::Backward(const LayerPass& pass,
                                      const LayerInput& input,
                                      const TensorView& doutput,
                                      const TensorView& dinput, bool add) {
  CONTINUO_CHECK(input.sparse != nullptr && !dinput && !add);
  CONTINUO_RETURN_IF_ERROR(
      Zero(pass.stream, {.x = Rows(gradients_.projected, pass.events)}));
  CONTINUO_RETURN_IF_ERROR(Zero(pass.stream, {.x = gradients_.score}));
  for (const TensorView& dc : gradients_.c) {
    CONTINUO_RETURN_IF_ERROR(Zero(pass.stream, {.x = dc}));
  }
  for (int64_t t = pass.ragged.steps() - 1; t >= 0; --t) {
    CONTINUO_RETURN_IF_ERROR(BackwardStep(pass, doutput, t));
  }
  return WeightGradients(pass, input, doutput);
}

}  // namespace continuo
