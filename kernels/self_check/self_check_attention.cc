// SPDX-License-Identifier: Apache-2.0

// Probes of the attention wrapper: through time, one step of it, and its window
// alone.

#include <cmath>

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_window.h"
#include "kernels/self_check/self_check_probe.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Rows outlive the window, which its ring then overwrites.
const std::vector<int>& Lengths() {
  static const auto& lengths = *new std::vector<int>{9, 8, 5, 5, 2, 1};
  return lengths;
}
constexpr int64_t kEvents = 30;
constexpr int64_t kRows = 6;
constexpr int kWindow = 5;
constexpr int64_t kWidth = 44;  // of x

double Scale(int64_t n) { return 1 / std::sqrt(static_cast<double>(n)); }

AttentionWeights MakeWeights(ProbeRun* run, int64_t n) {
  const double s = Scale(n);
  return {.attention_to_x = run->Packed(n, kWidth, 1, s),
          .x_to_gates = run->Packed(kWidth, 4 * n, 2, s),
          .gates_bias = run->Random({4 * n}, 3),
          .recurrent = run->Packed(n, 4 * n, 4, s),
          .c_to_query = run->Packed(n, n, 5, s),
          .h_to_query = run->Packed(n, n, 6, s),
          .query_bias = run->Random({n}, 7),
          .project = run->Packed(n, n, 8, s),
          .score = run->Random({n}, 9, 4 * s),
          .h_to_out = run->Packed(n, n, 10, s),
          .attention_to_out = run->Packed(n, n, 11, s),
          .out_bias = run->Random({n}, 12)};
}

AttentionTransposes MakeTransposes(ProbeRun* run, int64_t n) {
  const double s = Scale(n);
  const auto transposed = [&](int64_t rows, int64_t columns, uint64_t seed) {
    return run->Packed(rows, columns, seed, s, /*transpose=*/true);
  };
  return {.attention_to_x = transposed(n, kWidth, 1),
          .x_to_gates = transposed(kWidth, 4 * n, 2),
          .recurrent = transposed(n, 4 * n, 4),
          .c_to_query = transposed(n, n, 5),
          .h_to_query = transposed(n, n, 6),
          .project = transposed(n, n, 8),
          .h_to_out = transposed(n, n, 10),
          .attention_to_out = transposed(n, n, 11)};
}

// Forward and, from its results, backward.
absl::Status ProbeAttention(ProbeRun* run, int64_t n) {
  const AttentionWeights weights = MakeWeights(run, n);
  const auto units = [&] { return run->New<float>({kEvents, n}); };
  const auto window = [&] { return run->New<float>({kRows, kWindow, n}); };
  const AttentionForwardArgs f = {
      .ragged = run->MakeRaggedLayout(Lengths()),
      .weights = weights,
      .window = kWindow,
      .x = run->Random({kEvents, kWidth}, 20),
      .gates = run->NewGates({kEvents, 4 * n}),
      .c = units(),
      .h = units(),
      .query = units(),
      .probabilities = run->New<float>({kEvents, kWindow}),
      .attention = units(),
      .out = units(),
      .projected = units(),
      .window_states = window(),
      .window_projected = window(),
      .scratch = run->New<float>(
          {AttentionScratch(run->stream(), kEvents, n, kWidth)})};
  CONTINUO_RETURN_IF_ERROR(AttentionForward(run->stream(), f));
  for (const TensorView& output : {f.x, f.c, f.h, f.probabilities, f.out}) {
    run->Compare(output);
  }
  const AttentionBackwardArgs b = {.ragged = f.ragged,
                                   .weights = MakeTransposes(run, n),
                                   .score = weights.score,
                                   .window = kWindow,
                                   .gates = f.gates,
                                   .c = f.c,
                                   .query = f.query,
                                   .probabilities = f.probabilities,
                                   .out = f.out,
                                   .projected = f.projected,
                                   .dout = run->Random({kEvents, n}, 21),
                                   .dprojected = units(),
                                   .dx = run->New<float>({kEvents, kWidth}),
                                   .dscore = run->Random({n}, 22),
                                   .dh = run->New<float>({kRows, n}),
                                   .dc = run->New<float>({kRows, n}),
                                   .da = run->New<float>({kRows, n}),
                                   .dv = run->New<float>({kRows, n}),
                                   .dp = run->New<float>({kRows, kWindow}),
                                   .window_states = window(),
                                   .window_projected = window(),
                                   .window_dstates = window(),
                                   .window_dprojected = window(),
                                   .forward = weights,
                                   .scratch = f.scratch};
  CONTINUO_RETURN_IF_ERROR(AttentionBackward(run->stream(), b));
  for (const TensorView& output :
       {b.gates, b.query, b.dout, b.dprojected, b.dx, b.dscore}) {
    run->Compare(output);
  }
  return absl::OkStatus();
}

// Places of the rows' windows, of which one is not used.
TensorView WindowRows(ProbeRun* run) {
  return run->Put(std::vector<int32_t>{3, 0, 6, 1, 5, 2});
}

absl::Status ProbeAttentionStep(ProbeRun* run, int64_t n) {
  const auto units = [&] { return run->New<float>({kRows, n}); };
  const AttentionStepArgs args = {
      .weights = MakeWeights(run, n),
      .window = kWindow,
      .step = kWindow + 2,
      .c_prev = run->Random({kRows, n}, 20),
      .h_prev = run->Random({kRows, n}, 21),
      .attention_prev = run->Random({kRows, n}, 22),
      .x = run->Random({kRows, kWidth}, 23),
      .gates = run->NewGates({kRows, 4 * n}),
      .c = units(),
      .h = units(),
      .query = units(),
      .probabilities = run->New<float>({kRows, kWindow}),
      .attention = units(),
      .out = units(),
      .projected = units(),
      .window_states = run->Random({kRows + 1, kWindow, n}, 24),
      .window_projected = run->Random({kRows + 1, kWindow, n}, 25),
      .window_row = WindowRows(run),
      .scratch =
          run->New<float>({AttentionScratch(run->stream(), kRows, n, kWidth)})};
  CONTINUO_RETURN_IF_ERROR(AttentionStep(run->stream(), args));
  for (const TensorView& output : {args.c, args.h, args.attention, args.out,
                                   args.window_states, args.window_projected}) {
    run->Compare(output);
  }
  return absl::OkStatus();
}

absl::Status ProbeWindow(ProbeRun* run, int64_t n) {
  const WindowArrays window = {
      .step = kWindow + 3,
      .states = run->Random({kRows + 1, kWindow, n}, 1),
      .projected = run->Random({kRows + 1, kWindow, n}, 2),
      .row = WindowRows(run)};
  const TensorView probabilities = run->New<float>({kRows, kWindow});
  const TensorView attention = run->New<float>({kRows, n});
  CONTINUO_RETURN_IF_ERROR(
      AttendWindow(run->stream(), {.window = window,
                                   .score = run->Random({n}, 3, 4 * Scale(n)),
                                   .query = run->Random({kRows, n}, 4),
                                   .probabilities = probabilities,
                                   .attention = attention}));
  CONTINUO_RETURN_IF_ERROR(
      EnterWindow(run->stream(), {.window = window,
                                  .out = run->Random({kRows, n}, 5),
                                  .projected = run->Random({kRows, n}, 6)}));
  for (const TensorView& output :
       {probabilities, attention, window.states, window.projected}) {
    run->Compare(output);
  }
  return absl::OkStatus();
}

// Rows that end on the way, windows that are full and that are not.
absl::Status ProbeWindowBackward(ProbeRun* run, int64_t n) {
  const RaggedLayout ragged = run->MakeRaggedLayout(Lengths());
  for (const int t : {kWindow + 1, 2}) {
    const int64_t rows = ragged.host_batch_sizes[t];
    // All empty slots have one probability.
    std::vector<float> probabilities =
        ProbeValues(rows * kWindow, 4, 1.0 / kWindow);
    for (int64_t i = 0; i < rows * kWindow; ++i) {
      if (i % kWindow < kWindow - t) probabilities[i] = 0.5f / kWindow;
    }
    const AttendWindowBackwardArgs args = {
        .step = t,
        .step_begin = ragged.step_begin,
        .out = run->Random({kEvents, n}, 1),
        .projected = run->Random({kEvents, n}, 2),
        .score = run->Random({n}, 3, 4 * Scale(n)),
        .probabilities = run->Put(probabilities, {rows, kWindow}),
        .dattention = run->Random({rows, n}, 5),
        .query = run->Random({rows, n}, 6),
        .dout = run->Random({kEvents, n}, 7),
        .dprojected = run->Random({kEvents, n}, 8),
        .dscore = run->Random({rows, n}, 9),
        .dp = run->New<float>({rows, kWindow})};
    CONTINUO_RETURN_IF_ERROR(AttendWindowBackward(run->stream(), args));
    for (const TensorView& output :
         {args.query, args.dout, args.dprojected, args.dscore}) {
      run->Compare(output);
    }
  }
  return absl::OkStatus();
}

}  // namespace

void AddAttentionProbes(int64_t units, std::vector<Probe>* probes) {
  probes->insert(
      probes->end(),
      {{"AttentionForward and AttentionBackward", ProbeAccuracy::kProducts,
        ProbeAttention, units},
       {"AttentionStep", ProbeAccuracy::kProducts, ProbeAttentionStep, units},
       {"AttendWindow and EnterWindow", ProbeAccuracy::kProducts, ProbeWindow,
        units},
       {"AttendWindowBackward", ProbeAccuracy::kProducts, ProbeWindowBackward,
        units}});
}

}  // namespace continuo
