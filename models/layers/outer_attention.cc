// SPDX-License-Identifier: Apache-2.0

// Weights, memory and forward; outer_attention_backward.cc has the rest.

#include "models/layers/outer_attention.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/dropout.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

constexpr char kScope[] = "rnn/attention_cell_wrapper/";

}  // namespace

OuterAttention::OuterAttention(int input, absl::Span<const int> layer_sizes,
                               int attn_length, ParameterList* parameters)
    : units_(layer_sizes.back()),
      input_size_(input),
      attn_length_(attn_length),
      wrapper_(parameters->AddKernel(kScope, input + units_, input)),
      input_(wrapper_, input, /*sparse=*/true) {
  const int n = units_;
  int width = input;
  int states = 0;
  for (size_t i = 0; i < layer_sizes.size(); ++i) {
    const LayerShape shape = {
        .index = static_cast<int>(i),
        .width = width,
        .units = layer_sizes[i],
        .scope = absl::StrCat(kScope, "multi_rnn_cell/cell_", i, "/")};
    cells_.push_back(std::make_unique<LstmLayer>(shape, parameters));
    width = shape.units;
    states += 2 * shape.units;
  }
  const std::string scope = absl::StrCat(kScope, "attention/");
  attn_w_ = parameters->Add(absl::StrCat(scope, "attn_w"), {1, 1, n, n}, n, n);
  attn_v_ = parameters->Add(absl::StrCat(scope, "attn_v"), {n}, n, n);
  query_ = parameters->AddKernel(scope, states, n);
  out_ = parameters->AddKernel(absl::StrCat(kScope, "attn_output_projection/"),
                               2 * n, n);
  attention_to_x_ = WeightMatrix(wrapper_.kernel, input, input + n);
  project_ = WeightMatrix(attn_w_);
  h_to_out_ = WeightMatrix(out_.kernel, 0, n);
  attention_to_out_ = WeightMatrix(out_.kernel, n, 2 * n);
  Packed({&input_},
         {&attention_to_x_, &project_, &h_to_out_, &attention_to_out_});
  state_to_query_.reserve(2 * cells_.size());  // they are pointed to
  int64_t begin = 0;
  for (size_t i = 0; i < 2 * cells_.size(); ++i) {
    const int64_t end = begin + layer_sizes[i / 2];
    state_to_query_.emplace_back(query_.kernel, begin, end);
    Packed({}, {&state_to_query_.back()});
    begin = end;
  }
}

void OuterAttention::PlanWeights(const Stream& stream, bool backward,
                                 Arena* arena) {
  for (auto& cell : cells_) cell->PlanWeights(stream, backward, arena);
  Layer::PlanWeights(stream, backward, arena);
}

absl::Status OuterAttention::Pack(const Stream& stream, float* weights) const {
  for (const auto& cell : cells_) {
    CONTINUO_RETURN_IF_ERROR(cell->Pack(stream, weights));
  }
  return Layer::Pack(stream, weights);
}

void OuterAttention::PlanArrays(int64_t rows, Arena* arena) {
  const auto allocate = [&](int64_t columns) {
    return arena->Allocate<float>("activations of the attention",
                                  {rows, columns});
  };
  arrays_.x = allocate(input_size_);
  arrays_.query = allocate(units_);
  arrays_.probabilities = allocate(attn_length_);
  arrays_.out = allocate(units_);
  arrays_.projected = allocate(units_);
}

void OuterAttention::PlanBatch(BatchPlan* plan) {
  constexpr char kWhat[] = "activations of the attention";
  outputs_.clear();
  int64_t widest = 0;
  for (auto& cell : cells_) {
    const LayerShape& shape = cell->shape();
    cell->PlanArrays(plan);
    outputs_.push_back(plan->arena->Allocate<float>(
        shape.What("activations"), {plan->events, shape.units}));
    widest = std::max<int64_t>(widest, shape.units);
  }
  PlanArrays(plan->events, plan->arena);
  arrays_.attention =
      plan->arena->Allocate<float>(kWhat, {plan->events, units_});
  for (TensorView& window : arrays_.window) {
    window =
        plan->arena->Allocate<float>(kWhat, {plan->rows, attn_length_, units_});
  }
  window_row_ = plan->arena->Allocate<int32_t>("rows", {plan->rows});
  numbered_ = false;
  if (!plan->backward) return;
  const auto allocate = [&](int64_t rows, int64_t columns) {
    return plan->arena->Allocate<float>("activation gradients",
                                        {rows, columns});
  };
  gradients_.x = allocate(plan->events, input_size_);
  gradients_.projected = allocate(plan->events, units_);
  gradients_.h = allocate(plan->events, widest);
  gradients_.attention = allocate(plan->rows, units_);
  gradients_.score = allocate(plan->rows, units_);
  gradients_.probabilities = allocate(plan->rows, attn_length_);
  gradients_.c.clear();
  for (const auto& cell : cells_) {
    gradients_.c.push_back(allocate(plan->rows, cell->shape().units));
  }
  input_.PlanBackward(plan);
  plan->NeedGradientScratch(units_, input_size_);  // attention to x'
  plan->NeedGradientScratch(widest, units_);       // states to query, to out
}

absl::Status OuterAttention::PrepareBatch(const LayerPass& pass, bool) {
  if (numbered_) return absl::OkStatus();
  host_window_row_.resize(window_row_.num_elements());
  std::iota(host_window_row_.begin(), host_window_row_.end(), 0);
  CONTINUO_RETURN_IF_ERROR(
      CopyAndWait(pass.stream, View(host_window_row_), window_row_));
  numbered_ = true;
  return absl::OkStatus();
}

// From the new states of all layers to the output of the attention, which
// enters the window.
absl::Status OuterAttention::Attend(const OneStep& step) const {
  const Stream& stream = step.stream;
  for (size_t i = 0; i < state_to_query_.size(); ++i) {
    const CellStep& cell = step.cells[i / 2];
    CONTINUO_RETURN_IF_ERROR(
        Gemm(stream, {.a = i % 2 == 0 ? cell.c : cell.h,
                      .b = state_to_query_[i].packed(),
                      .bias = i == 0 ? ParameterView(step.weights, query_.bias)
                                     : TensorView(),
                      .c = step.query,
                      .accumulate = i > 0}));
  }
  CONTINUO_RETURN_IF_ERROR(
      AttendWindow(stream, {.window = step.window,
                            .score = ParameterView(step.weights, attn_v_),
                            .query = step.query,
                            .probabilities = step.probabilities,
                            .attention = step.attention}));
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream, {.a = step.cells.back().output,
                    .b = h_to_out_.packed(),
                    .bias = ParameterView(step.weights, out_.bias),
                    .c = step.out}));
  CONTINUO_RETURN_IF_ERROR(Gemm(stream, {.a = step.attention,
                                         .b = attention_to_out_.packed(),
                                         .c = step.out,
                                         .accumulate = true}));
  CONTINUO_RETURN_IF_ERROR(Gemm(
      stream, {.a = step.out, .b = project_.packed(), .c = step.projected}));
  return EnterWindow(
      stream,
      {.window = step.window, .out = step.out, .projected = step.projected});
}

absl::Status OuterAttention::Run(
    const OneStep& step, absl::FunctionRef<absl::Status(size_t)> drop) const {
  if (step.previous_attention) {
    CONTINUO_RETURN_IF_ERROR(Gemm(step.stream, {.a = step.previous_attention,
                                                .b = attention_to_x_.packed(),
                                                .c = step.x,
                                                .accumulate = true}));
  }
  TensorView below = step.x;
  for (size_t i = 0; i < cells_.size(); ++i) {
    const CellStep& cell = step.cells[i];
    CONTINUO_RETURN_IF_ERROR(cells_[i]->input().Forward(
        step.stream, step.weights, {.dense = below}, cell.gates));
    CONTINUO_RETURN_IF_ERROR(cells_[i]->Recur(
        step.stream, step.ragged, cell.initial_c, cell.initial_h, cell.arrays));
    CONTINUO_RETURN_IF_ERROR(drop(i));
    below = cell.output;
  }
  return Attend(step);
}

// Step t of a batch.
OuterAttention::OneStep OuterAttention::BatchStep(const LayerPass& pass,
                                                  int64_t t) const {
  const RaggedLayout& all = pass.ragged;
  const int64_t begin = all.host_step_begin[t];
  const int64_t rows = all.host_batch_sizes[t];
  const auto now = [&](const TensorView& view) {
    return RowsFrom(view, begin, rows);
  };
  const auto before = [&](const TensorView& view) {
    return t > 0 ? RowsFrom(view, all.host_step_begin[t - 1], rows)
                 : TensorView();
  };
  OneStep step = {
      .stream = pass.stream,
      .weights = pass.weights,
      .ragged = {.batch_sizes =
                     TensorView(all.batch_sizes.data<int32_t>() + t, {1}),
                 .step_begin =
                     TensorView(all.step_begin.data<int32_t>() + t, {2}),
                 .rows = rows,
                 .host_batch_sizes = all.host_batch_sizes + t,
                 .host_step_begin = all.host_step_begin + t},
      .window = {.step = t,
                 .states = arrays_.window[0],
                 .projected = arrays_.window[1],
                 .row = TensorView(window_row_.data<int32_t>(), {rows})},
      .previous_attention = before(arrays_.attention),
      .x = now(arrays_.x),
      .query = now(arrays_.query),
      .probabilities = now(arrays_.probabilities),
      .attention = now(arrays_.attention),
      .out = now(arrays_.out),
      .projected = now(arrays_.projected)};
  for (size_t i = 0; i < cells_.size(); ++i) {
    const LstmArrays& arrays = cells_[i]->arrays();
    step.cells.push_back({.arrays = arrays,
                          .initial_c = before(arrays.c),
                          .initial_h = before(arrays.h),
                          .gates = now(arrays.gates),
                          .c = now(arrays.c),
                          .h = now(arrays.h),
                          .output = now(results_[i])});
  }
  return step;
}

absl::Status OuterAttention::Forward(const LayerPass& pass,
                                     const LayerInput& input,
                                     TensorView* output) {
  const bool drops = pass.keep_prob < 1;
  results_.clear();
  for (size_t i = 0; i < cells_.size(); ++i) {
    results_.push_back(
        Rows(drops ? outputs_[i] : cells_[i]->arrays().h, pass.events));
  }
  CONTINUO_RETURN_IF_ERROR(input_.Forward(pass.stream, pass.weights, input,
                                          Rows(arrays_.x, pass.events)));
  for (int64_t t = 0; t < pass.ragged.steps(); ++t) {
    const OneStep step = BatchStep(pass, t);
    const auto drop = [&](size_t i) -> absl::Status {
      if (!drops) return absl::OkStatus();
      return Dropout(pass.stream, {.ragged = step.ragged,
                                   .source = pass.source,
                                   .x = cells_[i]->arrays().h,
                                   .out = results_[i],
                                   .keep_prob = pass.keep_prob,
                                   .seed = pass.seed,
                                   .step = pass.dropout_step,
                                   .first_step = t,
                                   .layer = static_cast<int>(i)});
    };
    CONTINUO_RETURN_IF_ERROR(Run(step, drop));
  }
  *output = Rows(arrays_.out, pass.events);
  return absl::OkStatus();
}

void OuterAttention::PlanSteps(const Stream& stream, int64_t max_rows,
                               Arena* arena, std::vector<StateTensor>* states) {
  for (auto& cell : cells_) cell->PlanSteps(stream, max_rows, arena, states);
  PlanArrays(max_rows, arena);
  states->push_back(
      AllocateState("state of the attention", max_rows, units_, arena));
  for (const bool derived : {false, true}) {
    states->push_back(
        AllocateWindow(stream, max_rows, attn_length_, units_, derived, arena));
  }
}

absl::Status OuterAttention::Step(const DecodeStep& step,
                                  const LayerInput& input,
                                  absl::Span<StateTensor> states,
                                  TensorView* output) {
  const auto now = [&](const TensorView& view) {
    return Rows(view, step.rows);
  };
  const absl::Span<StateTensor> own = states.subspan(2 * cells_.size());
  StateTensor& attention = own[0];
  OneStep one = {.stream = step.stream,
                 .weights = step.weights,
                 .ragged = step.ragged,
                 .window = {.step = step.step,
                            .states = own[1].Slots(),
                            .projected = own[2].Slots(),
                            .row = step.window_row},
                 .previous_attention = now(attention.now),
                 .x = now(arrays_.x),
                 .query = now(arrays_.query),
                 .probabilities = now(arrays_.probabilities),
                 .attention = now(attention.next),
                 .out = now(arrays_.out),
                 .projected = now(arrays_.projected)};
  for (size_t i = 0; i < cells_.size(); ++i) {
    StateTensor& c = states[2 * i];
    StateTensor& h = states[2 * i + 1];
    const LstmArrays arrays = {.gates = now(cells_[i]->arrays().gates),
                               .c = now(c.next),
                               .h = now(h.next)};
    one.cells.push_back({.arrays = arrays,
                         .initial_c = now(c.now),
                         .initial_h = now(h.now),
                         .gates = arrays.gates,
                         .c = arrays.c,
                         .h = arrays.h,
                         .output = arrays.h});
  }
  CONTINUO_RETURN_IF_ERROR(
      input_.Forward(step.stream, step.weights, input, one.x));
  CONTINUO_RETURN_IF_ERROR(Run(one, [](size_t) { return absl::OkStatus(); }));
  for (StateTensor& state : states.subspan(0, 2 * cells_.size() + 1)) {
    state.Swap();
  }
  *output = one.out;
  return absl::OkStatus();
}

}  // namespace continuo
