// SPDX-License-Identifier: Apache-2.0

// Probes of what a training step does beside its products.

#include "kernels/layers/copy_rows.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/elementwise.h"
#include "kernels/layers/loss.h"
#include "kernels/layers/optimizer.h"
#include "kernels/self_check/self_check_probe.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

absl::Status ProbeDropout(ProbeRun* run, int64_t) {
  const int64_t n = 35;
  const TensorView out = run->New<float>({9, n});
  CONTINUO_RETURN_IF_ERROR(
      Dropout(run->stream(), {.ragged = run->MakeRaggedLayout({4, 3, 2}),
                              .source = run->Put(std::vector<int32_t>{2, 7, 0}),
                              .x = run->Random({9, n}, 1),
                              .out = out,
                              .keep_prob = 0.6,
                              .seed = 12345,
                              .step = run->Put(std::vector<uint64_t>{77}),
                              .layer = 1}));
  run->Compare(out);
  return absl::OkStatus();
}

absl::Status ProbeLoss(ProbeRun* run, int64_t) {
  const int64_t events = kLossChunk + 45;
  const std::vector<int32_t> head_begin = {0, 5, 45};
  std::vector<int64_t> labels;
  for (int64_t e = 0; e < events; ++e) {
    const bool none = e % 50 == 7;
    labels.push_back(none ? -1 : e % 5);
    labels.push_back(none ? -1 : e % 40);
  }
  const TensorView logits = run->Random({events, 45}, 1, 3.0);
  const TensorView dlogits = run->New<float>({events, 45});
  const TensorView cross_entropy = run->Put(std::vector<double>{3.0});
  const TensorView counts = run->Put(std::vector<int64_t>{1, 2, 3, 4});
  const TensorView class_labels = run->Put(std::vector<int64_t>(45, 1));
  const TensorView class_correct = run->Put(std::vector<int64_t>(45, 2));
  const TensorView predicted = run->New<int32_t>({events, 2});
  CONTINUO_RETURN_IF_ERROR(SoftmaxLoss(
      run->stream(), {.logits = logits,
                      .labels = run->Put(labels, {events, 2}),
                      .head_begin = run->Put(head_begin),
                      .default_label = run->Put(std::vector<int64_t>{0, 6}),
                      .dlogits = dlogits,
                      .scale = run->Put(std::vector<float>{0.25f}),
                      .cross_entropy = cross_entropy,
                      .counts = counts,
                      .class_labels = class_labels,
                      .class_correct = class_correct,
                      .predicted = predicted,
                      .chunk_sums = run->New<double>({2})}));
  for (const TensorView& output : {dlogits, cross_entropy, counts, class_labels,
                                   class_correct, predicted}) {
    run->Compare(output);
  }
  return absl::OkStatus();
}

absl::Status ProbeClipAdam(ProbeRun* run, int64_t) {
  const std::vector<int64_t> begin = {0, 1, 700, 1000};
  const TensorView weights = run->Random({1000}, 2);
  const TensorView m = run->Random({1000}, 3, 0.1);
  std::vector<float> squares = ProbeValues(1000, 4, 0.1);
  for (float& square : squares) square *= square;
  const TensorView v = run->Put(squares);
  const TensorView norms = run->New<double>({3});
  CONTINUO_RETURN_IF_ERROR(ClipAdam(
      run->stream(),
      {.tensor_begin = run->Put(begin),
       .gradient = run->Random({1000}, 1),
       .weights = weights,
       .m = m,
       .v = v,
       .adam = {.clip_norm = 5},
       .rate = run->Put(std::vector<float>{0.01f}),
       .squared_norms = norms,
       .scratch = run->New<double>({ClipAdamScratch(run->stream(), 3)})}));
  for (const TensorView& output : {weights, m, v, norms}) run->Compare(output);
  return absl::OkStatus();
}

absl::Status ProbeRows(ProbeRun* run, int64_t) {
  const int64_t n = 33;
  const std::vector<int32_t> rows = {4, 0, 4, 8, 1};
  const TensorView x = run->Random({9, n}, 1);
  const TensorView gathered = run->New<float>({5, n});
  const TensorView copied = run->New<float>({9, n});
  const TensorView tail = run->Random({9, n}, 2);
  const TensorView zeros = run->New<float>({9, n});
  const TensorView sum = run->New<float>({9, n});
  CONTINUO_RETURN_IF_ERROR(GatherRows(
      run->stream(), {.x = x, .rows = run->Put(rows), .out = gathered}));
  CONTINUO_RETURN_IF_ERROR(Copy(run->stream(), {.from = x, .to = copied}));
  CONTINUO_RETURN_IF_ERROR(
      CopyRows(run->stream(), {.x = copied,
                               .from = run->Put(std::vector<int32_t>{2, 2, 7}),
                               .to = run->Put(std::vector<int32_t>{0, 8, 3})}));
  CONTINUO_RETURN_IF_ERROR(Zero(run->stream(), {.x = zeros}));
  CONTINUO_RETURN_IF_ERROR(ZeroTail(
      run->stream(), {.ragged = run->MakeRaggedLayout({3, 2, 1}), .x = tail}));
  CONTINUO_RETURN_IF_ERROR(Sum(run->stream(), {.a = x, .b = tail, .c = sum}));
  for (const TensorView& output : {gathered, copied, zeros, tail, sum}) {
    run->Compare(output);
  }
  return absl::OkStatus();
}

}  // namespace

void AddTrainingProbes(std::vector<Probe>* probes) {
  probes->insert(probes->end(),
                 {{"Dropout", ProbeAccuracy::kRounding, ProbeDropout},
                  {"SoftmaxLoss", ProbeAccuracy::kRounding, ProbeLoss},
                  {"ClipAdam", ProbeAccuracy::kRounding, ProbeClipAdam},
                  {"GatherRows, CopyRows, Copy, Zero, ZeroTail and Sum",
                   ProbeAccuracy::kEqual, ProbeRows}});
}

}  // namespace continuo
