// SPDX-License-Identifier: Apache-2.0

// Probes of recurrent layers: LSTMs by the project's own forms and by cuDNN.

#include <algorithm>
#include <cmath>

#include "kernels/gemm/gemm.h"
#include "kernels/lstm/lstm.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "kernels/lstm/lstm_step.h"
#include "kernels/self_check/self_check_probe.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// A ragged batch of 11 rows and 37 events.
const std::vector<int>& Lengths() {
  static const auto& lengths =
      *new std::vector<int>{6, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1};
  return lengths;
}
constexpr int64_t kEvents = 37;

// Forward and, from its results, backward.
absl::Status ProbeLstm(ProbeRun* run, int64_t n) {
  const RaggedLayout ragged = run->MakeRaggedLayout(Lengths());
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  const TensorView gates = run->RandomGates({kEvents, 4 * n}, 1, 1.0);
  const TensorView c = run->New<float>({kEvents, n});
  const TensorView h = run->New<float>({kEvents, n});
  const TensorView scratch =
      run->New<float>({LstmScratch(run->stream(), ragged.rows, n)});
  CONTINUO_RETURN_IF_ERROR(
      LstmForward(run->stream(), {.ragged = ragged,
                                  .recurrent = run->Packed(n, 4 * n, 2, scale),
                                  .gates = gates,
                                  .c = c,
                                  .h = h,
                                  .scratch = scratch}));
  run->Compare(c);
  run->Compare(h);
  CONTINUO_RETURN_IF_ERROR(LstmBackward(
      run->stream(),
      {.ragged = ragged,
       .recurrent_t = run->Packed(n, 4 * n, 2, scale, /*transpose=*/true),
       .c = c,
       .gates = gates,
       .dh = run->Random({kEvents, n}, 3),
       .dc = run->New<float>({ragged.rows, n}),
       .scratch = scratch}));
  run->Compare(gates);
  return absl::OkStatus();
}

// One step from a state, as in decoding.
absl::Status ProbeLstmStep(ProbeRun* run, int64_t n) {
  constexpr int64_t kRows = 7;
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  const TensorView c = run->New<float>({kRows, n});
  const TensorView h = run->New<float>({kRows, n});
  CONTINUO_RETURN_IF_ERROR(LstmForward(
      run->stream(),
      {.ragged = run->MakeRaggedLayout(std::vector<int>(kRows, 1)),
       .recurrent = run->Packed(n, 4 * n, 2, scale),
       .initial_c = run->Random({kRows, n}, 3),
       .initial_h = run->Random({kRows, n}, 4),
       .gates = run->RandomGates({kRows, 4 * n}, 1, 1.0),
       .c = c,
       .h = h,
       .scratch = run->New<float>({LstmScratch(run->stream(), kRows, n)})}));
  run->Compare(c);
  run->Compare(h);
  return absl::OkStatus();
}

absl::Status ProbeLstmStepBackward(ProbeRun* run, int64_t n) {
  constexpr int64_t kRows = 7;
  const LstmStepBackwardArgs args = {
      .c_prev = run->Random({kRows, n}, 1),
      .c = run->Random({kRows, n}, 2),
      .gates = run->RandomGates({kRows, 4 * n}, 3, 1.0),
      .dh = run->Random({kRows, n}, 4),
      .dc = run->Random({kRows, n}, 5)};
  CONTINUO_RETURN_IF_ERROR(LstmStepBackward(run->stream(), args));
  run->Compare(args.gates);
  run->Compare(args.dc);
  return absl::OkStatus();
}

// A layer of `n` units on an input of kWidth, with its weights as variables.
constexpr int64_t kWidth = 40;
struct LayerArrays {
  RaggedLayout ragged;
  TensorView x, kernel, bias, h, dh, dx, dkernel, dbias;
};

LayerArrays MakeLayer(ProbeRun* run, int64_t n) {
  const double scale = 1 / std::sqrt(static_cast<double>(n + kWidth));
  return {.ragged = run->MakeRaggedLayout(Lengths()),
          .x = run->Random({kEvents, kWidth}, 1),
          .kernel = run->Random({kWidth + n, 4 * n}, 2, scale),
          .bias = run->Random({4 * n}, 3),
          .h = run->New<float>({kEvents, n}),
          .dh = run->Random({kEvents, n}, 4),
          .dx = run->New<float>({kEvents, kWidth}),
          .dkernel = run->Random({kWidth + n, 4 * n}, 5),
          .dbias = run->Random({4 * n}, 6)};
}

// The rows of a layer's kernel from `begin` on, packed.
absl::StatusOr<TensorView> PackRows(ProbeRun* run, const TensorView& kernel,
                                    int64_t begin, int64_t rows,
                                    bool transpose) {
  const int64_t columns = kernel.shape[1];
  const TensorView packed =
      run->New<float>({transpose ? PackedSize(run->stream(), columns, rows)
                                 : PackedSize(run->stream(), rows, columns)});
  CONTINUO_RETURN_IF_ERROR(PackMatrix(
      run->stream(),
      {.matrix =
           TensorView(kernel.data<float>() + begin * columns, {rows, columns}),
       .transpose = transpose,
       .packed = packed}));
  return packed;
}

// What cuDNN computes, by the operations of the fused path.
absl::Status RunFusedLayer(ProbeRun* run, const LayerArrays& l, int64_t n) {
  const Stream& stream = run->stream();
  CONTINUO_ASSIGN_OR_RETURN(const TensorView input,
                            PackRows(run, l.kernel, 0, kWidth, false));
  CONTINUO_ASSIGN_OR_RETURN(const TensorView input_t,
                            PackRows(run, l.kernel, 0, kWidth, true));
  CONTINUO_ASSIGN_OR_RETURN(const TensorView recurrent,
                            PackRows(run, l.kernel, kWidth, n, false));
  CONTINUO_ASSIGN_OR_RETURN(const TensorView recurrent_t,
                            PackRows(run, l.kernel, kWidth, n, true));
  const TensorView gates = run->NewGates({kEvents, 4 * n});
  const TensorView c = run->New<float>({kEvents, n});
  CONTINUO_RETURN_IF_ERROR(
      Gemm(stream, {.a = l.x, .b = input, .bias = l.bias, .c = gates}));
  CONTINUO_RETURN_IF_ERROR(LstmForward(stream, {.ragged = l.ragged,
                                                .recurrent = recurrent,
                                                .gates = gates,
                                                .c = c,
                                                .h = l.h}));
  CONTINUO_RETURN_IF_ERROR(
      LstmBackward(stream, {.ragged = l.ragged,
                            .recurrent_t = recurrent_t,
                            .c = c,
                            .gates = gates,
                            .dh = l.dh,
                            .dc = run->New<float>({l.ragged.rows, n})}));
  CONTINUO_RETURN_IF_ERROR(Gemm(stream, {.a = gates, .b = input_t, .c = l.dx}));
  std::vector<int32_t> previous(kEvents, -1);
  for (int64_t t = 1; t < l.ragged.steps(); ++t) {
    for (int32_t row = 0; row < l.ragged.host_batch_sizes[t]; ++row) {
      previous[l.ragged.host_step_begin[t] + row] =
          l.ragged.host_step_begin[t - 1] + row;
    }
  }
  const TensorView scratch = run->New<float>(
      {WeightGradientScratch(stream, kEvents, std::max(n, kWidth), 4 * n)});
  float* const dkernel = l.dkernel.data<float>();
  CONTINUO_RETURN_IF_ERROR(
      WeightGradient(stream, {.x = l.x,
                              .dz = gates,
                              .dw = TensorView(dkernel, {kWidth, 4 * n}),
                              .db = l.dbias,
                              .scratch = scratch}));
  return WeightGradient(stream,
                        {.x = l.h,
                         .rows = run->Put(previous),
                         .dz = gates,
                         .dw = TensorView(dkernel + kWidth * 4 * n, {n, 4 * n}),
                         .scratch = scratch});
}

absl::Status RunCudnnLayer(ProbeRun* run, const LayerArrays& l, int64_t n) {
  CONTINUO_ASSIGN_OR_RETURN(
      const LstmCudnnSizes sizes,
      LstmCudnnSizesFor(run->stream(), l.ragged, kWidth, n));
  const TensorView reserve = run->New<float>({sizes.reserve});
  const TensorView scratch = run->New<float>({sizes.scratch});
  CONTINUO_RETURN_IF_ERROR(
      LstmCudnnForward(run->stream(), {.ragged = l.ragged,
                                       .x = l.x,
                                       .kernel = l.kernel,
                                       .bias = l.bias,
                                       .h = l.h,
                                       .reserve = reserve,
                                       .scratch = scratch}));
  return LstmCudnnBackward(run->stream(), {.ragged = l.ragged,
                                           .x = l.x,
                                           .kernel = l.kernel,
                                           .bias = l.bias,
                                           .h = l.h,
                                           .dh = l.dh,
                                           .dx = l.dx,
                                           .dkernel = l.dkernel,
                                           .dbias = l.dbias,
                                           .reserve = reserve,
                                           .scratch = scratch});
}

absl::Status ProbeCudnn(ProbeRun* run, int64_t n) {
  const LayerArrays l = MakeLayer(run, n);
  CONTINUO_RETURN_IF_ERROR(LstmUsesCudnn(run->stream())
                               ? RunCudnnLayer(run, l, n)
                               : RunFusedLayer(run, l, n));
  for (const TensorView& output : {l.h, l.dx, l.dkernel, l.dbias}) {
    run->Compare(output);
  }
  return absl::OkStatus();
}

}  // namespace

void AddLstmProbes(int64_t units, bool cudnn, std::vector<Probe>* probes) {
  probes->insert(probes->end(),
                 {{"LstmForward and LstmBackward", ProbeAccuracy::kProducts,
                   ProbeLstm, units},
                  {"LstmForward, one step", ProbeAccuracy::kProducts,
                   ProbeLstmStep, units},
                  {"LstmStepBackward", ProbeAccuracy::kProducts,
                   ProbeLstmStepBackward, units}});
  if (!cudnn) return;
  probes->push_back(
      {"LSTM layer by cuDNN", ProbeAccuracy::kProducts, ProbeCudnn, units});
}

}  // namespace continuo
