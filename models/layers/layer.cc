// SPDX-License-Identifier: Apache-2.0

#include "models/layers/layer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/elementwise.h"
#include "models/layers/projection.h"
#include "runtime/base/status.h"

namespace continuo {

std::string LayerShape::What(absl::string_view what) const {
  return absl::StrCat(what, " of layer ", index);
}

void BatchPlan::NeedScratch(int64_t floats) {
  gradient_scratch = std::max(gradient_scratch, floats);
}

void BatchPlan::NeedGradientScratch(int64_t k, int64_t n) {
  NeedScratch(WeightGradientScratch(stream, events, k, n));
}

absl::Status LayerPass::Accumulate(const TensorView& x, bool shifted,
                                   const TensorView& dz, const TensorView& dw,
                                   const TensorView& db) const {
  return WeightGradient(stream, {.x = x,
                                 .rows = shifted ? previous : TensorView(),
                                 .dz = dz,
                                 .dw = dw,
                                 .db = db,
                                 .scratch = gradient_scratch});
}

absl::Status LayerPass::ZeroTails(
    std::initializer_list<TensorView> gradients) const {
  if (!recorded) return absl::OkStatus();
  for (const TensorView& x : gradients) {
    CONTINUO_RETURN_IF_ERROR(ZeroTail(stream, {.ragged = ragged, .x = x}));
  }
  return absl::OkStatus();
}

absl::Status LayerPass::Drop(int index, const TensorView& x,
                             const TensorView& out) const {
  return Dropout(stream, {.ragged = ragged,
                          .source = source,
                          .x = x,
                          .out = out,
                          .keep_prob = keep_prob,
                          .seed = seed,
                          .step = dropout_step,
                          .layer = index});
}

TensorView StateTensor::Slots() const {
  TensorView view = now;
  view.shape = {view.shape[0], slots, view.shape[1] / slots};
  return view;
}

void Layer::Packed(std::initializer_list<Projection*> projections,
                   std::initializer_list<WeightMatrix*> matrices) {
  projections_.insert(projections_.end(), projections);
  matrices_.insert(matrices_.end(), matrices);
}

void Layer::PlanWeights(const Stream& stream, bool backward, Arena* arena) {
  for (Projection* projection : projections_) {
    projection->PlanWeights(stream, backward, arena);
  }
  for (WeightMatrix* matrix : matrices_) {
    matrix->Plan(stream, backward, arena);
  }
}

absl::Status Layer::Pack(const Stream& stream, float* weights) const {
  for (const Projection* projection : projections_) {
    CONTINUO_RETURN_IF_ERROR(projection->Pack(stream, weights));
  }
  for (const WeightMatrix* matrix : matrices_) {
    CONTINUO_RETURN_IF_ERROR(matrix->Pack(stream, weights));
  }
  return absl::OkStatus();
}

absl::Status Layer::PrepareBatch(const LayerPass&, bool) {
  return absl::OkStatus();
}

DenseParameters AddCell(Cell cell, const LayerShape& shape,
                        ParameterList* parameters) {
  const CellKind& kind = KindOf(cell);
  return parameters->AddKernel(absl::StrCat(shape.scope, kind.scope),
                               shape.width + shape.units,
                               kind.gates * shape.units, kind.initial_bias);
}

StateTensor AllocateState(absl::string_view what, int64_t max_rows,
                          int64_t columns, Arena* arena) {
  StateTensor state;
  for (TensorView* view : {&state.now, &state.next}) {
    *view = arena->Allocate<float>(what, {max_rows, columns});
  }
  return state;
}

StateTensor AllocateWindow(const Stream& stream, int64_t max_rows,
                           int64_t slots, int64_t units, bool derived,
                           Arena* arena) {
  StateTensor state;
  state.slots = slots;
  state.derived = derived;
  const auto allocate = [&] {
    return arena->Allocate<float>("attention window",
                                  {max_rows, slots * units});
  };
  state.now = allocate();
  if (stream.device.type == DeviceType::kCuda) state.next = allocate();
  return state;
}

}  // namespace continuo
