// SPDX-License-Identifier: Apache-2.0

#include "models/layers/lstm_layer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "kernels/lstm/lstm.h"
#include "kernels/lstm/lstm_form.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

TensorView AllocateScratch(const Stream& stream, int64_t rows, int64_t units,
                           Arena* arena) {
  const int64_t size = LstmScratch(stream, rows, units);
  if (size == 0) return {};
  return arena->Allocate<float>("recurrent products", {size});
}

}  // namespace

LstmLayer::LstmLayer(const LayerShape& shape, ParameterList* parameters)
    : shape_(shape),
      parameters_(AddCell(Cell::kLstm, shape, parameters)),
      input_(parameters_, shape.width, shape.sparse),
      recurrent_(parameters_.kernel, shape.width, shape.width + shape.units) {
  Packed({&input_}, {&recurrent_});
}

bool LstmLayer::CanRecord(const Stream& stream, int64_t rows,
                          int64_t steps) const {
  return !LstmLaunchesPerStep(
      stream, {.rows = rows, .steps = steps, .units = shape_.units});
}

void LstmLayer::PlanArrays(BatchPlan* plan) {
  const std::string what = shape_.What("activations");
  const int64_t n = shape_.units;
  arrays_.gates = plan->arena->Allocate(what, GateType(plan->stream),
                                        {plan->events, 4 * n});
  arrays_.c = plan->arena->Allocate<float>(what, {plan->events, n});
  arrays_.h = plan->arena->Allocate<float>(what, {plan->events, n});
  scratch_ = AllocateScratch(plan->stream, plan->rows, n, plan->arena);
  if (!plan->backward) return;
  input_.PlanBackward(plan);
  plan->NeedGradientScratch(n, 4 * n);
}

void LstmLayer::PlanBatch(BatchPlan* plan) {
  PlanArrays(plan);
  if (!plan->backward) return;
  dc_ = plan->arena->Allocate<float>("activation gradients",
                                     {plan->rows, shape_.units});
}

absl::Status LstmLayer::Recur(const Stream& stream, const RaggedLayout& ragged,
                              const TensorView& initial_c,
                              const TensorView& initial_h,
                              const LstmArrays& arrays) const {
  return LstmForward(stream, {.ragged = ragged,
                              .recurrent = recurrent_.packed(),
                              .initial_c = initial_c,
                              .initial_h = initial_h,
                              .gates = arrays.gates,
                              .c = arrays.c,
                              .h = arrays.h,
                              .scratch = scratch_});
}

absl::Status LstmLayer::Forward(const LayerPass& pass, const LayerInput& input,
                                TensorView* output) {
  const LstmArrays arrays = {.gates = Rows(arrays_.gates, pass.events),
                             .c = Rows(arrays_.c, pass.events),
                             .h = Rows(arrays_.h, pass.events)};
  *output = arrays.h;
  CONTINUO_RETURN_IF_ERROR(
      input_.Forward(pass.stream, pass.weights, input, arrays.gates));
  return Recur(pass.stream, pass.ragged, TensorView(), TensorView(), arrays);
}

absl::Status LstmLayer::Backward(const LayerPass& pass, const LayerInput& input,
                                 const TensorView& doutput,
                                 const TensorView& dinput, bool add) {
  const TensorView gates = Rows(arrays_.gates, pass.events);
  CONTINUO_RETURN_IF_ERROR(
      LstmBackward(pass.stream, {.ragged = pass.ragged,
                                 .recurrent_t = recurrent_.transposed(),
                                 .c = Rows(arrays_.c, pass.events),
                                 .gates = gates,
                                 .dh = doutput,
                                 .dc = Rows(dc_, pass.rows),
                                 .scratch = scratch_}));
  // `gates` hold the gradient of z.
  CONTINUO_RETURN_IF_ERROR(pass.ZeroTails({gates}));
  CONTINUO_RETURN_IF_ERROR(
      pass.Accumulate(Rows(arrays_.h, pass.events), /*shifted=*/true, gates,
                      recurrent_.Rows(pass.gradient),
                      ParameterView(pass.gradient, parameters_.bias)));
  return input_.Backward(pass, input, gates, /*bias=*/false, dinput, add);
}

void LstmLayer::PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                          std::vector<StateTensor>* states) {
  const std::string what = shape_.What("state");
  const int64_t n = shape_.units;
  arrays_.gates = arena->Allocate(what, GateType(stream), {max_rows, 4 * n});
  for (int i = 0; i < 2; ++i) {  // c and h
    states->push_back(AllocateState(what, max_rows, n, arena));
  }
  scratch_ = AllocateScratch(stream, max_rows, n, arena);
}

absl::Status LstmLayer::Step(const DecodeStep& step, const LayerInput& input,
                             absl::Span<StateTensor> states,
                             TensorView* output) {
  StateTensor& c = states[0];
  StateTensor& h = states[1];
  const LstmArrays arrays = {.gates = Rows(arrays_.gates, step.rows),
                             .c = Rows(c.next, step.rows),
                             .h = Rows(h.next, step.rows)};
  *output = arrays.h;
  CONTINUO_RETURN_IF_ERROR(
      input_.Forward(step.stream, step.weights, input, arrays.gates));
  CONTINUO_RETURN_IF_ERROR(Recur(step.stream, step.ragged,
                                 Rows(c.now, step.rows), Rows(h.now, step.rows),
                                 arrays));
  c.Swap();
  h.Swap();
  return absl::OkStatus();
}

}  // namespace continuo
