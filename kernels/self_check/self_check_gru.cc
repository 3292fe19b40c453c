// SPDX-License-Identifier: Apache-2.0

// Probes of GRU layers.

#include <cmath>

#include "kernels/gru/gru.h"
#include "kernels/self_check/self_check_probe.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Forward and, from its results, backward, over a ragged batch of 11 rows and
// 37 events.
absl::Status ProbeGru(ProbeRun* run, int64_t n) {
  constexpr int64_t kEvents = 37;
  const RaggedLayout ragged =
      run->MakeRaggedLayout({6, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1});
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  const TensorView gates = run->Random({kEvents, 2 * n}, 1);
  const TensorView candidate = run->Random({kEvents, n}, 2);
  const TensorView reset = run->New<float>({kEvents, n});
  const TensorView h = run->New<float>({kEvents, n});
  CONTINUO_RETURN_IF_ERROR(GruForward(
      run->stream(), {.ragged = ragged,
                      .recurrent_gates = run->Packed(n, 2 * n, 3, scale),
                      .recurrent_candidate = run->Packed(n, n, 4, scale),
                      .gates = gates,
                      .candidate = candidate,
                      .reset = reset,
                      .h = h}));
  run->Compare(h);
  run->Compare(reset);
  CONTINUO_RETURN_IF_ERROR(
      GruBackward(run->stream(),
                  {.ragged = ragged,
                   .recurrent_gates_t = run->Packed(n, 2 * n, 3, scale, true),
                   .recurrent_candidate_t = run->Packed(n, n, 4, scale, true),
                   .h = h,
                   .gates = gates,
                   .candidate = candidate,
                   .dh = run->Random({kEvents, n}, 5),
                   .dreset = run->New<float>({ragged.rows, n})}));
  run->Compare(gates);
  run->Compare(candidate);
  return absl::OkStatus();
}

// One step from a state, as in decoding.
absl::Status ProbeGruStep(ProbeRun* run, int64_t n) {
  constexpr int64_t kRows = 7;
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  const TensorView h = run->New<float>({kRows, n});
  CONTINUO_RETURN_IF_ERROR(
      GruForward(run->stream(),
                 {.ragged = run->MakeRaggedLayout(std::vector<int>(kRows, 1)),
                  .recurrent_gates = run->Packed(n, 2 * n, 3, scale),
                  .recurrent_candidate = run->Packed(n, n, 4, scale),
                  .initial_h = run->Random({kRows, n}, 5),
                  .gates = run->Random({kRows, 2 * n}, 1),
                  .candidate = run->Random({kRows, n}, 2),
                  .reset = run->New<float>({kRows, n}),
                  .h = h}));
  run->Compare(h);
  return absl::OkStatus();
}

}  // namespace

void AddGruProbes(int64_t units, std::vector<Probe>* probes) {
  probes->insert(probes->end(),
                 {{"GruForward and GruBackward", ProbeAccuracy::kProducts,
                   ProbeGru, units},
                  {"GruForward, one step", ProbeAccuracy::kProducts,
                   ProbeGruStep, units}});
}

}  // namespace continuo
