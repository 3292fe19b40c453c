// SPDX-License-Identifier: Apache-2.0

// Probes of products: dense and sparse, and the gradients of their weights.

#include "kernels/gemm/gemm.h"
#include "kernels/layers/embedding.h"
#include "kernels/self_check/self_check_probe.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

absl::Status ProbeGemm(ProbeRun* run, int64_t) {
  const int64_t m = 33, k = 130, n = 68;
  const TensorView a = run->Random({m, k}, 1), c = run->New<float>({m, n});
  CONTINUO_RETURN_IF_ERROR(Gemm(run->stream(), {.a = a,
                                                .b = run->Packed(k, n, 2, 0.1),
                                                .bias = run->Random({n}, 3),
                                                .c = c}));
  run->Compare(c);
  const TensorView back = run->Random({m, k}, 4);
  CONTINUO_RETURN_IF_ERROR(
      Gemm(run->stream(), {.a = c,
                           .b = run->Packed(k, n, 2, 0.1, /*transpose=*/true),
                           .c = back,
                           .accumulate = true}));
  run->Compare(back);
  return absl::OkStatus();
}

absl::Status ProbeWeightGradient(ProbeRun* run, int64_t) {
  const int64_t events = 300, k = 33, n = 132;
  std::vector<int32_t> rows;
  for (int32_t e = 0; e < events; ++e) rows.push_back(e * 7 % 301 - 1);
  const TensorView dw = run->Random({k, n}, 3), db = run->Random({n}, 4);
  CONTINUO_RETURN_IF_ERROR(WeightGradient(
      run->stream(), {.x = run->Random({events, k}, 1),
                      .rows = run->Put(rows),
                      .dz = run->RandomGates({events, n}, 2, 1.0),
                      .dw = dw,
                      .db = db,
                      .scratch = run->New<float>({WeightGradientScratch(
                          run->stream(), events, k, n)})}));
  run->Compare(dw);
  run->Compare(db);
  return absl::OkStatus();
}

constexpr int64_t kWidth = 75;  // of sparse rows
constexpr int kRows = 70;

// Rows of none to three entries.
SparseView SparseRows(ProbeRun* run) {
  std::vector<int32_t> begin = {0}, index;
  for (int row = 0; row < kRows; ++row) {
    for (int i = 0; i < row % 4; ++i) {
      index.push_back(static_cast<int32_t>(row % 20 + i * 23));
    }
    begin.push_back(static_cast<int32_t>(index.size()));
  }
  const int64_t entries = static_cast<int64_t>(index.size());
  return {.row_begin = run->Put(begin),
          .index = run->Put(index),
          .value = run->Random({entries}, 5)};
}

absl::Status ProbeGatherSum(ProbeRun* run, int64_t) {
  const int64_t n = 132;
  const TensorView out = run->NewGates({kRows, n});
  CONTINUO_RETURN_IF_ERROR(
      GatherSum(run->stream(), {.inputs = SparseRows(run),
                                .weights = run->Random({kWidth, n}, 1),
                                .bias = run->Random({n}, 2),
                                .out = out}));
  run->Compare(out);
  return absl::OkStatus();
}

absl::Status ProbeScatterAdd(ProbeRun* run, int64_t) {
  const int64_t n = 132;
  const TensorView dw = run->Random({kWidth, n}, 1);
  CONTINUO_RETURN_IF_ERROR(
      ScatterAdd(run->stream(), {.inputs = SparseRows(run),
                                 .dz = run->RandomGates({kRows, n}, 2, 1.0),
                                 .dw = dw,
                                 .scratch = run->New<float>({ScatterAddScratch(
                                     run->stream(), kRows, kWidth, n)})}));
  run->Compare(dw);
  return absl::OkStatus();
}

}  // namespace

void AddDenseProbes(std::vector<Probe>* probes) {
  probes->insert(
      probes->end(),
      {{"Gemm", ProbeAccuracy::kProducts, ProbeGemm},
       {"WeightGradient", ProbeAccuracy::kProducts, ProbeWeightGradient},
       {"GatherSum", ProbeAccuracy::kProducts, ProbeGatherSum},
       {"ScatterAdd", ProbeAccuracy::kProducts, ProbeScatterAdd}});
}

}  // namespace continuo
