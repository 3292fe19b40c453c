// SPDX-License-Identifier: Apache-2.0

// What surrounds the recurrent layers: inputs, dropout, loss, optimizer, and a
// step of decoding. "Steps" are 1: these work on all events at once.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bench/gpu_cases.h"
#include "kernels/decoding/input_feedback.h"
#include "kernels/decoding/sampling.h"
#include "kernels/decoding/uniform.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/embedding.h"
#include "kernels/layers/loss.h"
#include "kernels/layers/optimizer.h"

namespace continuo::bench {
namespace {

constexpr int64_t kUnits = 128;
constexpr int64_t kInputs = 74;  // attention_rnn's
constexpr int64_t kEntries = 14;
constexpr int64_t kClasses = 40;
constexpr double kFloat = sizeof(float);

void AddProducts(int64_t e, GpuArrays* a, std::vector<GpuCase>* cases) {
  const int64_t n = 4 * kUnits;
  const double flops = 2.0 * static_cast<double>(e * kUnits * n);
  const GemmArgs gemm = {.a = a->Floats({e, kUnits}),
                         .b = a->Floats({kUnits * n}),
                         .bias = a->Floats({n}),
                         .c = a->Gates({e, n})};
  const double bytes = kFloat * static_cast<double>(e * kUnits + kUnits * n) +
                       static_cast<double>(e * n * DTypeSize(gemm.c.dtype));
  cases->push_back({.name = absl::StrCat("gemm ", kUnits, "x", n),
                    .product_flops = flops,
                    .bytes = bytes,
                    .run = [gemm](const Stream& s) { return Gemm(s, gemm); }});
  std::vector<int32_t> previous;
  for (int64_t i = 0; i < e; ++i) {
    previous.push_back(static_cast<int32_t>(i - 64 < 0 ? -1 : i - 64));
  }
  const WeightGradientArgs gradient = {
      .x = gemm.a,
      .rows = a->Put(previous),
      .dz = gemm.c,
      .dw = a->Floats({kUnits, n}),
      .db = a->Floats({n}),
      .scratch = a->Floats({WeightGradientScratch(a->stream(), e, kUnits, n)})};
  cases->push_back({.name = absl::StrCat("weight_gradient ", kUnits, "x", n),
                    .product_flops = flops,
                    .bytes = bytes,
                    .run = [gradient](const Stream& s) {
                      return WeightGradient(s, gradient);
                    }});
}

void AddSparse(int64_t e, GpuArrays* a, std::vector<GpuCase>* cases) {
  std::vector<int32_t> row_begin = {0}, index;
  std::vector<float> value;
  for (int64_t r = 0; r < e; ++r) {
    for (int64_t i = 0; i < kEntries; ++i) {
      index.push_back(static_cast<int32_t>((r * 7 + i * 5) % kInputs));
    }
    std::sort(index.end() - kEntries, index.end());
    value.insert(value.end(), kEntries, 1.0f);
    row_begin.push_back(static_cast<int32_t>(index.size()));
  }
  const int64_t n = 4 * kUnits;
  const SparseView inputs = {.row_begin = a->Put(row_begin),
                             .index = a->Put(index),
                             .value = a->Put(value)};
  const GatherSumArgs gather = {.inputs = inputs,
                                .weights = a->Floats({kInputs, n}),
                                .bias = a->Floats({n}),
                                .out = a->Gates({e, n})};
  const double bytes = static_cast<double>(e * n) *
                           static_cast<double>(DTypeSize(gather.out.dtype)) +
                       8.0 * static_cast<double>(e * kEntries) +
                       kFloat * static_cast<double>(kInputs * n);
  cases->push_back(
      {.name = "gather_sum, 14 entries",
       .bytes = bytes,
       .run = [gather](const Stream& s) { return GatherSum(s, gather); }});
  const ScatterAddArgs scatter = {
      .inputs = inputs,
      .dz = gather.out,
      .dw = a->Floats({kInputs, n}),
      .scratch = a->Floats({ScatterAddScratch(a->stream(), e, kInputs, n)})};
  cases->push_back(
      {.name = "scatter_add, 14 entries",
       .bytes = bytes,
       .run = [scatter](const Stream& s) { return ScatterAdd(s, scatter); }});
}

void AddDropout(const GpuSizes& sizes, GpuArrays* a,
                std::vector<GpuCase>* cases) {
  const int64_t e = int64_t{sizes.rows} * sizes.steps;
  const std::vector<int32_t> batch_sizes(sizes.steps, sizes.rows);
  std::vector<int32_t> step_begin, source;
  for (int t = 0; t <= sizes.steps; ++t) step_begin.push_back(t * sizes.rows);
  for (int row = 0; row < sizes.rows; ++row) source.push_back(row);
  const TensorView x = a->Floats({e, kUnits});
  const DropoutArgs args = {.ragged = {.batch_sizes = a->Put(batch_sizes),
                                       .step_begin = a->Put(step_begin),
                                       .rows = sizes.rows},
                            .source = a->Put(source),
                            .x = x,
                            .out = x,
                            .keep_prob = 0.5,
                            .seed = 1,
                            .step = a->Put(std::vector<uint64_t>{1})};
  cases->push_back(
      {.name = "dropout",
       .bytes = 2 * kFloat * static_cast<double>(e * kUnits),
       .run = [args](const Stream& s) { return Dropout(s, args); }});
}

void AddLoss(int64_t e, GpuArrays* a, std::vector<GpuCase>* cases) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < e; ++i) labels.push_back(i * 13 % kClasses);
  const TensorView logits = a->Floats({e, kClasses});
  const SoftmaxLossArgs args = {
      .logits = logits,
      .labels = a->Put(labels),
      .head_begin = a->Put(std::vector<int32_t>{0, kClasses}),
      .default_label = a->Put(std::vector<int64_t>{0}),
      .dlogits = logits,
      .scale = a->Put(std::vector<float>{1.0f}),
      .cross_entropy = a->Allocate<double>({1}),
      .counts = a->Allocate<int64_t>({4}),
      .class_labels = a->Allocate<int64_t>({kClasses}),
      .class_correct = a->Allocate<int64_t>({kClasses}),
      .predicted = a->Allocate<int32_t>({e}),
      .chunk_sums = a->Allocate<double>({(e + kLossChunk - 1) / kLossChunk})};
  cases->push_back(
      {.name = "softmax_loss, 40 classes",
       .bytes = static_cast<double>(e) * (2 * kFloat * kClasses + 12),
       .run = [args](const Stream& s) { return SoftmaxLoss(s, args); }});
}

void AddOptimizer(GpuArrays* a, std::vector<GpuCase>* cases) {
  constexpr int64_t kSize = 300'000;
  const ClipAdamArgs args = {
      .tensor_begin = a->Put(std::vector<int64_t>{0, 100'000, 200'000, kSize}),
      .gradient = a->Floats({kSize}),
      .weights = a->Floats({kSize}),
      .m = a->Allocate<float>({kSize}),
      .v = a->Allocate<float>({kSize}),
      .adam = {.clip_norm = 3},
      .rate = a->Put(std::vector<float>{0.001f}),
      .squared_norms = a->Allocate<double>({3}),
      .scratch = a->Allocate<double>({ClipAdamScratch(a->stream(), 3)})};
  cases->push_back(
      {.name = "clip_adam, 300,000 weights",
       .bytes = 7 * kFloat * static_cast<double>(kSize),
       .run = [args](const Stream& s) { return ClipAdam(s, args); }});
}

void AddSampling(GpuArrays* a, std::vector<GpuCase>* cases) {
  constexpr int64_t kRows = 1000;
  static constexpr int kHeads[] = {kClasses};
  const SampleArgs args = {.logits = a->Floats({kRows, kClasses}),
                           .head_sizes = kHeads,
                           .u = a->Allocate<double>({kRows, 1}),
                           .choice = a->Allocate<int64_t>({kRows, 1}),
                           .log_p = a->Allocate<double>({kRows})};
  cases->push_back(
      {.name = "sample, 1,000 rows, 40 classes",
       .bytes = static_cast<double>(kRows) * (kFloat * kClasses + 24),
       .run = [args](const Stream& s) { return Sample(s, args); }});
}

// The rest of a step of generation: numbers, and inputs from labels (those of
// attention_rnn).
void AddGeneration(GpuArrays* a, std::vector<GpuCase>* cases) {
  constexpr int64_t kRows = 1000;
  constexpr int64_t kSteps = 32;
  const DrawUniformsArgs draws = {.seed = 1,
                                  .output = a->Allocate<uint64_t>({kRows}),
                                  .step = a->Allocate<int64_t>({kRows}),
                                  .u = a->Allocate<double>({kSteps, kRows, 1})};
  cases->push_back(
      {.name = "draw_uniforms, 1,000 rows",
       .steps = kSteps,
       .bytes = static_cast<double>(kRows * (kSteps * 8 + 16)),
       .run = [draws](const Stream& s) { return DrawUniforms(s, draws); }});
  const InputFeedbackEncoding encoding = {.head_begin = {0, 40},
                                          .num_events = 38,
                                          .default_class = 36,
                                          .num_distances = 2,
                                          .distances = {16, 32},
                                          .counter_bits = 7,
                                          .key_melody = true,
                                          .min_note = 48};
  const int64_t size = InputFeedbackStateSize(encoding);
  const int64_t entries = InputFeedbackEntries(encoding);
  const InputFeedbackArgs feedback = {
      .encoding = encoding,
      .choice = a->Allocate<int64_t>({kRows, 1}),
      .state = a->Allocate<int32_t>({kRows, size}),
      .next_state = a->Allocate<int32_t>({kRows, size}),
      .index = a->Allocate<int32_t>({kRows, entries}),
      .value = a->Allocate<float>({kRows, entries})};
  cases->push_back(
      {.name = "feedback, 1,000 rows, key melody",
       .bytes = static_cast<double>(kRows * (8 * (size + entries) + 8)),
       .run = [feedback](const Stream& s) {
         return InputFeedback(s, feedback);
       }});
}

}  // namespace

std::vector<GpuCase> OtherCases(const GpuSizes& sizes, GpuArrays* arrays) {
  const int64_t e = int64_t{sizes.rows} * sizes.steps;
  std::vector<GpuCase> cases;
  AddProducts(e, arrays, &cases);
  AddSparse(e, arrays, &cases);
  AddDropout(sizes, arrays, &cases);
  AddLoss(e, arrays, &cases);
  AddOptimizer(arrays, &cases);
  AddSampling(arrays, &cases);
  AddGeneration(arrays, &cases);
  return cases;
}

}  // namespace continuo::bench
