// SPDX-License-Identifier: Apache-2.0

#include "models/layers/gru_layer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {

GruLayer::GruLayer(const LayerShape& shape, ParameterList* parameters)
    : shape_(shape),
      gates_(AddCell(Cell::kGru, shape, parameters)),
      candidate_(parameters->AddKernel(
          absl::StrCat(shape.scope, "gru_cell/candidate/"),
          shape.width + shape.units, shape.units)),
      gates_input_(gates_, shape.width, shape.sparse),
      candidate_input_(candidate_, shape.width, shape.sparse),
      gates_recurrent_(gates_.kernel, shape.width, shape.width + shape.units),
      candidate_recurrent_(candidate_.kernel, shape.width,
                           shape.width + shape.units) {
  Packed({&gates_input_, &candidate_input_},
         {&gates_recurrent_, &candidate_recurrent_});
}

void GruLayer::PlanArrays(const char* what, int64_t rows, Arena* arena) {
  const int64_t n = shape_.units;
  const auto allocate = [&](int64_t columns) {
    return arena->Allocate<float>(shape_.What(what), {rows, columns});
  };
  arrays_.gates = allocate(2 * n);
  arrays_.candidate = allocate(n);
  arrays_.reset = allocate(n);
}

GruLayer::Arrays GruLayer::First(int64_t rows) const {
  return {.gates = Rows(arrays_.gates, rows),
          .candidate = Rows(arrays_.candidate, rows),
          .reset = Rows(arrays_.reset, rows),
          .h = Rows(arrays_.h, rows)};
}

absl::Status GruLayer::Run(const Stream& stream, float* weights,
                           const RaggedLayout& ragged, const LayerInput& input,
                           const TensorView& initial_h,
                           const Arrays& arrays) const {
  CONTINUO_RETURN_IF_ERROR(
      gates_input_.Forward(stream, weights, input, arrays.gates));
  CONTINUO_RETURN_IF_ERROR(
      candidate_input_.Forward(stream, weights, input, arrays.candidate));
  return GruForward(stream,
                    {.ragged = ragged,
                     .recurrent_gates = gates_recurrent_.packed(),
                     .recurrent_candidate = candidate_recurrent_.packed(),
                     .initial_h = initial_h,
                     .gates = arrays.gates,
                     .candidate = arrays.candidate,
                     .reset = arrays.reset,
                     .h = arrays.h});
}

void GruLayer::PlanBatch(BatchPlan* plan) {
  const int64_t n = shape_.units;
  PlanArrays("activations", plan->events, plan->arena);
  arrays_.h = plan->arena->Allocate<float>(shape_.What("activations"),
                                           {plan->events, n});
  if (!plan->backward) return;
  dreset_ =
      plan->arena->Allocate<float>("activation gradients", {plan->rows, n});
  gates_input_.PlanBackward(plan);
  candidate_input_.PlanBackward(plan);
  plan->NeedGradientScratch(n, 2 * n);
}

absl::Status GruLayer::Forward(const LayerPass& pass, const LayerInput& input,
                               TensorView* output) {
  const Arrays arrays = First(pass.events);
  *output = arrays.h;
  return Run(pass.stream, pass.weights, pass.ragged, input, TensorView(),
             arrays);
}

absl::Status GruLayer::Backward(const LayerPass& pass, const LayerInput& input,
                                const TensorView& doutput,
                                const TensorView& dinput, bool add) {
  const Arrays arrays = First(pass.events);
  CONTINUO_RETURN_IF_ERROR(GruBackward(
      pass.stream, {.ragged = pass.ragged,
                    .recurrent_gates_t = gates_recurrent_.transposed(),
                    .recurrent_candidate_t = candidate_recurrent_.transposed(),
                    .h = arrays.h,
                    .gates = arrays.gates,
                    .candidate = arrays.candidate,
                    .dh = doutput,
                    .dreset = Rows(dreset_, pass.rows)}));
  // `gates` and `candidate` hold the gradients of their sums.
  CONTINUO_RETURN_IF_ERROR(pass.ZeroTails({arrays.gates, arrays.candidate}));
  CONTINUO_RETURN_IF_ERROR(
      pass.Accumulate(arrays.h, /*shifted=*/true, arrays.gates,
                      gates_recurrent_.Rows(pass.gradient), TensorView()));
  CONTINUO_RETURN_IF_ERROR(
      pass.Accumulate(arrays.reset, /*shifted=*/false, arrays.candidate,
                      candidate_recurrent_.Rows(pass.gradient), TensorView()));
  CONTINUO_RETURN_IF_ERROR(gates_input_.Backward(pass, input, arrays.gates,
                                                 /*bias=*/true, dinput, add));
  return candidate_input_.Backward(pass, input, arrays.candidate,
                                   /*bias=*/true, dinput, /*add=*/true);
}

void GruLayer::PlanSteps(const Stream&, int64_t max_rows, Arena* arena,
                         std::vector<StateTensor>* states) {
  PlanArrays("state", max_rows, arena);
  states->push_back(
      AllocateState(shape_.What("state"), max_rows, shape_.units, arena));
}

absl::Status GruLayer::Step(const DecodeStep& step, const LayerInput& input,
                            absl::Span<StateTensor> states,
                            TensorView* output) {
  StateTensor& h = states[0];
  Arrays arrays = First(step.rows);
  arrays.h = Rows(h.next, step.rows);
  *output = arrays.h;
  CONTINUO_RETURN_IF_ERROR(Run(step.stream, step.weights, step.ragged, input,
                               Rows(h.now, step.rows), arrays));
  h.Swap();
  return absl::OkStatus();
}

}  // namespace continuo
