// SPDX-License-Identifier: Apache-2.0

// LSTM and attention layers on full batches: every row is alive at every step.

#include "absl/strings/str_cat.h"
#include "bench/gpu_cases.h"
#include "kernels/attention/attention.h"
#include "kernels/gemm/gemm.h"
#include "kernels/lstm/lstm.h"

namespace continuo::bench {
namespace {

constexpr int64_t kFloat = sizeof(float);

// A batch on host and device.
struct Batch {
  Batch(const GpuSizes& sizes, GpuArrays* arrays)
      : rows(sizes.rows),
        steps(sizes.steps),
        batch_sizes(steps, static_cast<int32_t>(rows)) {
    for (int64_t t = 0; t <= steps; ++t) {
      step_begin.push_back(static_cast<int32_t>(t * rows));
    }
    ragged = {.batch_sizes = arrays->Put(batch_sizes),
              .step_begin = arrays->Put(step_begin),
              .rows = rows,
              .host_batch_sizes = batch_sizes.data(),
              .host_step_begin = step_begin.data()};
  }
  int64_t events() const { return rows * steps; }

  int64_t rows;
  int64_t steps;
  std::vector<int32_t> batch_sizes;
  std::vector<int32_t> step_begin;
  RaggedLayout ragged;
};
using SharedBatch = std::shared_ptr<const Batch>;

// Weights keep activations moderate whatever their number.
TensorView Weights(GpuArrays* a, int64_t k, int64_t n) {
  return a->Floats({k, n}, 0.05f);
}

void AddLstm(const SharedBatch& batch, int64_t units, GpuArrays* a,
             std::vector<GpuCase>* cases) {
  const int64_t e = batch->events();
  const double gate = static_cast<double>(DTypeSize(GateType(a->stream())));
  const double elements = static_cast<double>(e * units);
  const double product_flops = 8.0 * elements * static_cast<double>(units);
  const LstmForwardArgs forward = {
      .ragged = batch->ragged,
      .recurrent = Weights(a, units, 4 * units),
      .gates = a->Gates({e, 4 * units}),
      .c = a->Floats({e, units}),
      .h = a->Floats({e, units}),
      .scratch = a->Floats({1, LstmScratch(a->stream(), batch->rows, units)})};
  cases->push_back({.name = absl::StrCat("lstm_forward H=", units),
                    .steps = batch->steps,
                    .product_flops = product_flops,
                    // The input part; gates, c and h.
                    .bytes = elements * (8 * gate + 2 * kFloat),
                    .run = [batch, forward](const Stream& stream) {
                      return LstmForward(stream, forward);
                    }});
  const LstmBackwardArgs backward = {
      .ragged = batch->ragged,
      .recurrent_t = Weights(a, 4 * units, units),
      .c = forward.c,
      .gates = forward.gates,
      .dh = a->Floats({e, units}),
      .dc = a->Floats({batch->rows, units}),
      .scratch = forward.scratch};
  cases->push_back({.name = absl::StrCat("lstm_backward H=", units),
                    .steps = batch->steps,
                    .product_flops = product_flops,
                    // Gates, c and dh; the gradient of z.
                    .bytes = elements * (8 * gate + 2 * kFloat),
                    .run = [batch, backward](const Stream& stream) {
                      return LstmBackward(stream, backward);
                    }});
}

// attention_rnn's and drum_kit's first layers.
struct AttentionSize {
  int64_t units;
  int64_t window;
  int64_t inputs;
};

void AddAttention(const SharedBatch& batch, const AttentionSize& size,
                  GpuArrays* a, std::vector<GpuCase>* cases) {
  const int64_t e = batch->events();
  const int64_t n = size.units, i = size.inputs, window = size.window;
  const auto events = [&](int64_t columns) { return a->Floats({e, columns}); };
  const auto ring = [&] { return a->Floats({batch->rows, window, n}); };
  const TensorView scratch =
      a->Floats({1, AttentionScratch(a->stream(), e, n, i)});
  const AttentionWeights weights = {.attention_to_x = Weights(a, n, i),
                                    .x_to_gates = Weights(a, i, 4 * n),
                                    .gates_bias = a->Floats({4 * n}),
                                    .recurrent = Weights(a, n, 4 * n),
                                    .c_to_query = Weights(a, n, n),
                                    .h_to_query = Weights(a, n, n),
                                    .query_bias = a->Floats({n}),
                                    .project = Weights(a, n, n),
                                    .score = a->Floats({n}),
                                    .h_to_out = Weights(a, n, n),
                                    .attention_to_out = Weights(a, n, n),
                                    .out_bias = a->Floats({n})};
  const AttentionForwardArgs forward = {.ragged = batch->ragged,
                                        .weights = weights,
                                        .window = static_cast<int>(window),
                                        .x = events(i),
                                        .gates = a->Gates({e, 4 * n}),
                                        .c = events(n),
                                        .h = events(n),
                                        .query = events(n),
                                        .probabilities = events(window),
                                        .attention = events(n),
                                        .out = events(n),
                                        .projected = events(n),
                                        .window_states = ring(),
                                        .window_projected = ring(),
                                        .scratch = scratch};
  const double gate = static_cast<double>(DTypeSize(GateType(a->stream())));
  const double count = static_cast<double>(e);
  // As the equations have them: x' and its gates, h R, the query, the output.
  const double macs = static_cast<double>(n * i + 4 * i * n + 9 * n * n);
  const std::string shape = absl::StrCat(" n=", n, " A=", window);
  cases->push_back(
      {.name = absl::StrCat("attention_forward", shape),
       .steps = batch->steps,
       .product_flops = 2 * macs * count,
       // x in and out; gates; c, h, q, a, out, out W; p.
       .bytes = count * static_cast<double>(n) * (4 * gate + 6 * kFloat) +
                count * static_cast<double>(kFloat * (2 * i + window)),
       .run = [batch, forward](const Stream& stream) {
         return AttentionForward(stream, forward);
       }});
  const AttentionBackwardArgs backward = {
      .ragged = batch->ragged,
      .weights = {.attention_to_x = Weights(a, i, n),
                  .x_to_gates = Weights(a, 4 * n, i),
                  .recurrent = Weights(a, 4 * n, n),
                  .c_to_query = Weights(a, n, n),
                  .h_to_query = Weights(a, n, n),
                  .project = Weights(a, n, n),
                  .h_to_out = Weights(a, n, n),
                  .attention_to_out = Weights(a, n, n)},
      .score = weights.score,
      .window = static_cast<int>(window),
      .gates = forward.gates,
      .c = forward.c,
      .query = forward.query,
      .probabilities = forward.probabilities,
      .out = forward.out,
      .projected = forward.projected,
      .dout = events(n),
      .dprojected = events(n),
      .dx = events(i),
      .dscore = a->Floats({n}),
      .dh = a->Floats({batch->rows, n}),
      .dc = a->Floats({batch->rows, n}),
      .da = a->Floats({batch->rows, n}),
      .dv = a->Floats({batch->rows, n}),
      .dp = a->Floats({batch->rows, window}),
      .window_states = forward.window_states,
      .window_projected = forward.window_projected,
      .window_dstates = ring(),
      .window_dprojected = ring(),
      .forward = weights,
      .scratch = scratch};
  cases->push_back(
      {.name = absl::StrCat("attention_backward", shape),
       .steps = batch->steps,
       .product_flops = 2 * macs * count,
       // Gates in and out; c, out, out W; q and dout in and out; d(out W); p;
       // dx.
       .bytes = count * static_cast<double>(n) * (8 * gate + 8 * kFloat) +
                count * static_cast<double>(kFloat * (i + window)),
       .run = [batch, backward](const Stream& stream) {
         return AttentionBackward(stream, backward);
       }});
}

}  // namespace

std::vector<GpuCase> RecurrentCases(const GpuSizes& sizes, GpuArrays* arrays) {
  const auto batch = std::make_shared<const Batch>(sizes, arrays);
  std::vector<GpuCase> cases;
  for (int64_t units : {128, 256, 512}) {
    AddLstm(batch, units, arrays, &cases);
  }
  AddAttention(batch, {.units = 128, .window = 40, .inputs = 74}, arrays,
               &cases);
  return cases;
}

}  // namespace continuo::bench
