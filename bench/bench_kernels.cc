// SPDX-License-Identifier: Apache-2.0

// Speed of the operations at the sizes of the published melody networks: 128
// sequences of 128..512 events, 128 units, window 40.
//
//   bench_kernels --threads=2 [--benchmark_filter=lstm]
//   bench_kernels --device=cuda [--precision=bf16] [--filter=lstm]
//
// The second prints what the CUDA forms cost by count (bench/gpu_table.h); on
// gpusim with GPUSIM_STATS=FILE set, with the simulator's counters. --steps and
// --rows set the size of its batch (8 and 64).
//
// Counters: `events/cpu_s`, events per second of CPU time times the threads;
// `GFLOP/s`, the multiply-adds of its products, counted twice; `GB/s`, the
// bytes of its arguments, each counted once when read and once when written.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench_support.h"
#include "bench/gpu_flags.h"
#include "bench/gpu_table.h"
#include "benchmark/benchmark.h"
#include "kernels/attention/attention.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gru/gru.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/embedding.h"
#include "kernels/layers/loss.h"
#include "kernels/layers/optimizer.h"
#include "kernels/lstm/lstm.h"
#include "models/network/event_rnn_decoder.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"

namespace continuo {
namespace {

constexpr int64_t kUnits = 128;
constexpr int64_t kWindow = 40;
constexpr int64_t kClasses = 40;
constexpr int64_t kInputs = 74;
constexpr int kEntries = 14;

// The batch and every array that an operation here takes, on a pool.
struct Arrays {
  Arrays() : pool(bench::NumThreads()) {
    std::vector<int> lengths = bench::BatchLengths();
    std::sort(lengths.rbegin(), lengths.rend());
    step_begin = {0};
    for (int t = 0; t < lengths[0]; ++t) {
      int rows = 0;
      for (int length : lengths) rows += length > t;
      batch_sizes.push_back(rows);
      step_begin.push_back(step_begin.back() + rows);
    }
    for (size_t row = 0; row < lengths.size(); ++row) {
      source.push_back(static_cast<int32_t>(row));
    }
    rows = batch_sizes[0];
    events = step_begin.back();
    previous.assign(events, -1);
    for (size_t t = 1; t < batch_sizes.size(); ++t) {
      for (int row = 0; row < batch_sizes[t]; ++row) {
        previous[step_begin[t] + row] = step_begin[t - 1] + row;
      }
    }
    row_begin = {0};
    for (int64_t e = 0; e < events; ++e) {
      for (int i = 0; i < kEntries; ++i) {
        index.push_back(static_cast<int32_t>((e * 7 + i * 5) % kInputs));
        value.push_back(1.0f);
      }
      row_begin.push_back(static_cast<int32_t>(index.size()));
      labels.push_back(e * 13 % kClasses);
    }
  }

  Stream stream() { return Stream{Device(), &pool}; }
  RaggedLayout ragged() const {
    return {.batch_sizes = View(batch_sizes), .step_begin = View(step_begin)};
  }
  SparseView inputs() const {
    return {.row_begin = View(row_begin),
            .index = View(index),
            .value = View(value)};
  }
  template <typename T>
  static TensorView View(const std::vector<T>& values) {
    return TensorView(values.data(), {static_cast<int64_t>(values.size())});
  }

  // A fresh random array that lives as long as this; 64-byte aligned.
  TensorView New(Shape shape) {
    auto holder = std::make_unique<Arena>(Device());
    holder->Allocate<float>("array", shape);
    CONTINUO_CHECK(holder->Commit().ok());
    const TensorView view = holder->Allocate<float>("array", shape);
    const std::vector<float> values = bench::UniformArray(view.num_elements());
    std::copy(values.begin(), values.end(), view.data<float>());
    holders.push_back(std::move(holder));
    return view;
  }
  TensorView Events(int64_t columns) { return New({events, columns}); }
  TensorView Packed(int64_t k, int64_t n) {
    return New({PackedSize(stream(), k, n)});
  }

  ThreadPool pool;
  std::vector<std::unique_ptr<Arena>> holders;
  std::vector<int32_t> batch_sizes, step_begin, source, previous;
  std::vector<int32_t> row_begin, index;
  std::vector<float> value;
  std::vector<int64_t> labels;
  int64_t rows = 0;
  int64_t events = 0;
};

// Runs `step` once to touch the memory and then for the benchmark. `macs` and
// `floats` are per event.
template <typename Step>
void Measure(benchmark::State& state, int64_t events, double macs,
             double floats, const Step& step) {
  CONTINUO_CHECK(step().ok());
  const double begin = bench::CpuSeconds();
  for (auto _ : state) CONTINUO_CHECK(step().ok());
  const double cpu = (bench::CpuSeconds() - begin) / bench::NumThreads();
  const double total =
      static_cast<double>(events) * static_cast<double>(state.iterations());
  state.counters["events/cpu_s"] = total / cpu;
  if (macs > 0) state.counters["GFLOP/s"] = 2e-9 * macs * total / cpu;
  if (floats > 0) state.counters["GB/s"] = 4e-9 * floats * total / cpu;
}

void BenchGemm(benchmark::State& state) {
  Arrays a;
  const int64_t k = state.range(0), n = state.range(1);
  const GemmArgs args = {.a = a.Events(k),
                         .b = a.Packed(k, n),
                         .bias = a.New({n}),
                         .c = a.Events(n)};
  Measure(state, a.events, static_cast<double>(k * n),
          static_cast<double>(k + n), [&] { return Gemm(a.stream(), args); });
}

void BenchWeightGradient(benchmark::State& state) {
  Arrays a;
  const int64_t k = state.range(0), n = state.range(1);
  const WeightGradientArgs args = {
      .x = a.Events(k),
      .rows = Arrays::View(a.previous),
      .dz = a.Events(n),
      .dw = a.New({k, n}),
      .db = a.New({n}),
      .scratch = a.New({WeightGradientScratch(a.stream(), 0, 0, 0)})};
  Measure(state, a.events, static_cast<double>(k * n),
          static_cast<double>(k + n),
          [&] { return WeightGradient(a.stream(), args); });
}

void BenchGatherSum(benchmark::State& state) {
  Arrays a;
  const GatherSumArgs args = {.inputs = a.inputs(),
                              .weights = a.New({kInputs, 4 * kUnits}),
                              .bias = a.New({4 * kUnits}),
                              .out = a.Events(4 * kUnits)};
  Measure(state, a.events, kEntries * 4 * kUnits, 4 * kUnits,
          [&] { return GatherSum(a.stream(), args); });
}

void BenchScatterAdd(benchmark::State& state) {
  Arrays a;
  const ScatterAddArgs args = {.inputs = a.inputs(),
                               .dz = a.Events(4 * kUnits),
                               .dw = a.New({kInputs, 4 * kUnits})};
  Measure(state, a.events, kEntries * 4 * kUnits, 4 * kUnits,
          [&] { return ScatterAdd(a.stream(), args); });
}

void BenchLstmForward(benchmark::State& state) {
  Arrays a;
  const LstmForwardArgs args = {.ragged = a.ragged(),
                                .recurrent = a.Packed(kUnits, 4 * kUnits),
                                .gates = a.Events(4 * kUnits),
                                .c = a.Events(kUnits),
                                .h = a.Events(kUnits)};
  Measure(state, a.events, 4 * kUnits * kUnits, 10 * kUnits,
          [&] { return LstmForward(a.stream(), args); });
}

void BenchLstmBackward(benchmark::State& state) {
  Arrays a;
  const LstmBackwardArgs args = {.ragged = a.ragged(),
                                 .recurrent_t = a.Packed(4 * kUnits, kUnits),
                                 .c = a.Events(kUnits),
                                 .gates = a.Events(4 * kUnits),
                                 .dh = a.Events(kUnits),
                                 .dc = a.New({a.rows, kUnits})};
  // The operation works in place on its gates, which would die out over many
  // rounds; dh keeps them alive.
  Measure(state, a.events, 4 * kUnits * kUnits, 11 * kUnits,
          [&] { return LstmBackward(a.stream(), args); });
}

void BenchGruForward(benchmark::State& state) {
  Arrays a;
  const GruForwardArgs args = {.ragged = a.ragged(),
                               .recurrent_gates = a.Packed(kUnits, 2 * kUnits),
                               .recurrent_candidate = a.Packed(kUnits, kUnits),
                               .gates = a.Events(2 * kUnits),
                               .candidate = a.Events(kUnits),
                               .reset = a.Events(kUnits),
                               .h = a.Events(kUnits)};
  Measure(state, a.events, 3 * kUnits * kUnits, 9 * kUnits,
          [&] { return GruForward(a.stream(), args); });
}

void BenchGruBackward(benchmark::State& state) {
  Arrays a;
  const GruBackwardArgs args = {
      .ragged = a.ragged(),
      .recurrent_gates_t = a.Packed(2 * kUnits, kUnits),
      .recurrent_candidate_t = a.Packed(kUnits, kUnits),
      .h = a.Events(kUnits),
      .gates = a.Events(2 * kUnits),
      .candidate = a.Events(kUnits),
      .dh = a.Events(kUnits),
      .dreset = a.New({a.rows, kUnits})};
  Measure(state, a.events, 3 * kUnits * kUnits, 10 * kUnits,
          [&] { return GruBackward(a.stream(), args); });
}

// Multiply-adds of the attention wrapper's products in the time loop.
constexpr double kAttentionMacs = kUnits * kInputs + kInputs * 4 * kUnits +
                                  kUnits * 4 * kUnits + 5 * kUnits * kUnits;
// ... and of its window: scores and their sum, or their gradients.
constexpr double kWindowMacs = 2 * kWindow * kUnits;

AttentionWeights NewAttentionWeights(Arrays* a) {
  return {.attention_to_x = a->Packed(kUnits, kInputs),
          .x_to_gates = a->Packed(kInputs, 4 * kUnits),
          .gates_bias = a->New({4 * kUnits}),
          .recurrent = a->Packed(kUnits, 4 * kUnits),
          .c_to_query = a->Packed(kUnits, kUnits),
          .h_to_query = a->Packed(kUnits, kUnits),
          .query_bias = a->New({kUnits}),
          .project = a->Packed(kUnits, kUnits),
          .score = a->New({kUnits}),
          .h_to_out = a->Packed(kUnits, kUnits),
          .attention_to_out = a->Packed(kUnits, kUnits),
          .out_bias = a->New({kUnits})};
}

TensorView NewWindow(Arrays* a) { return a->New({a->rows, kWindow, kUnits}); }

void BenchAttentionForward(benchmark::State& state) {
  Arrays a;
  const AttentionForwardArgs args = {.ragged = a.ragged(),
                                     .weights = NewAttentionWeights(&a),
                                     .window = kWindow,
                                     .x = a.Events(kInputs),
                                     .gates = a.Events(4 * kUnits),
                                     .c = a.Events(kUnits),
                                     .h = a.Events(kUnits),
                                     .query = a.Events(kUnits),
                                     .probabilities = a.Events(kWindow),
                                     .attention = a.Events(kUnits),
                                     .out = a.Events(kUnits),
                                     .projected = a.Events(kUnits),
                                     .window_states = NewWindow(&a),
                                     .window_projected = NewWindow(&a)};
  Measure(state, a.events, kAttentionMacs + kWindowMacs, 0,
          [&] { return AttentionForward(a.stream(), args); });
}

void BenchAttentionBackward(benchmark::State& state) {
  Arrays a;
  const AttentionBackwardArgs args = {
      .ragged = a.ragged(),
      .weights = {.attention_to_x = a.Packed(kInputs, kUnits),
                  .x_to_gates = a.Packed(4 * kUnits, kInputs),
                  .recurrent = a.Packed(4 * kUnits, kUnits),
                  .c_to_query = a.Packed(kUnits, kUnits),
                  .h_to_query = a.Packed(kUnits, kUnits),
                  .project = a.Packed(kUnits, kUnits),
                  .h_to_out = a.Packed(kUnits, kUnits),
                  .attention_to_out = a.Packed(kUnits, kUnits)},
      .score = a.New({kUnits}),
      .window = kWindow,
      .gates = a.Events(4 * kUnits),
      .c = a.Events(kUnits),
      .query = a.Events(kUnits),
      .probabilities = a.Events(kWindow),
      .out = a.Events(kUnits),
      .projected = a.Events(kUnits),
      .dout = a.Events(kUnits),
      .dprojected = a.Events(kUnits),
      .dx = a.Events(kInputs),
      .dscore = a.New({kUnits}),
      .dh = a.New({a.rows, kUnits}),
      .dc = a.New({a.rows, kUnits}),
      .da = a.New({a.rows, kUnits}),
      .dv = a.New({a.rows, kUnits}),
      .dp = a.New({a.rows, kWindow}),
      .window_states = NewWindow(&a),
      .window_projected = NewWindow(&a),
      .window_dstates = NewWindow(&a),
      .window_dprojected = NewWindow(&a)};
  Measure(state, a.events, kAttentionMacs + 2 * kWindowMacs, 0, [&] {
    // Its outputs grow from round to round where they are also inputs.
    for (const TensorView& view : {args.gates, args.query, args.dout}) {
      float* data = view.data<float>();
      for (int64_t i = 0; i < view.num_elements(); i += 64) {
        if (!(std::abs(data[i]) < 1e3f)) data[i] = 0.5f;
      }
    }
    return AttentionBackward(a.stream(), args);
  });
}

void BenchDropout(benchmark::State& state) {
  Arrays a;
  const uint64_t step = 1;
  const DropoutArgs args = {.ragged = a.ragged(),
                            .source = Arrays::View(a.source),
                            .x = a.Events(kUnits),
                            .out = a.Events(kUnits),
                            .keep_prob = 0.5,
                            .seed = 1,
                            .step = TensorView(&step, {1})};
  Measure(state, a.events, 0, 2 * kUnits,
          [&] { return Dropout(a.stream(), args); });
}

void BenchSoftmaxLoss(benchmark::State& state) {
  Arrays a;
  const std::vector<int32_t> head_begin = {0, kClasses};
  const std::vector<int64_t> default_label = {0};
  double cross_entropy = 0;
  const float scale = 1.0f;
  std::vector<int64_t> counts(4), class_labels(kClasses),
      class_correct(kClasses);
  std::vector<int32_t> predicted(a.events);
  std::vector<double> chunks((a.events + kLossChunk - 1) / kLossChunk);
  const SoftmaxLossArgs args = {
      .logits = a.Events(kClasses),
      .labels = Arrays::View(a.labels),
      .head_begin = Arrays::View(head_begin),
      .default_label = Arrays::View(default_label),
      .dlogits = a.Events(kClasses),
      .scale = TensorView(&scale, {1}),
      .cross_entropy = TensorView(&cross_entropy, {1}),
      .counts = Arrays::View(counts),
      .class_labels = Arrays::View(class_labels),
      .class_correct = Arrays::View(class_correct),
      .predicted = Arrays::View(predicted),
      .chunk_sums = Arrays::View(chunks)};
  Measure(state, a.events, 0, 2 * kClasses,
          [&] { return SoftmaxLoss(a.stream(), args); });
}

// "Events" are weights here.
void BenchClipAdam(benchmark::State& state) {
  Arrays a;
  const int64_t size = 300'000;
  const float rate = 0.001f;
  const std::vector<int64_t> begin = {0, 100'000, 200'000, size};
  std::vector<double> squared_norms(3);
  const ClipAdamArgs args = {.tensor_begin = Arrays::View(begin),
                             .gradient = a.New({size}),
                             .weights = a.New({size}),
                             .m = a.New({size}),
                             .v = a.New({size}),
                             .adam = {.clip_norm = 3},
                             .rate = TensorView(&rate, {1}),
                             .squared_norms = Arrays::View(squared_norms)};
  float* v = args.v.data<float>();
  for (int64_t i = 0; i < size; ++i) v[i] = std::abs(v[i]);
  Measure(state, size, 0, 7, [&] { return ClipAdam(a.stream(), args); });
}

// One event for each of `rows` sequences of attention_rnn, windows full.
void BenchDecoderStep(benchmark::State& state) {
  ThreadPool pool(bench::NumThreads());
  NetworkSpec spec;
  spec.input_size = kInputs;
  spec.head_sizes = {kClasses};
  spec.default_label = {0};
  spec.layer_sizes = {kUnits, kUnits};
  spec.attn_length = state.range(1) == 0 ? 0 : kWindow;
  auto rnn = *EventRnn::Create(spec, Stream{Device(), &pool});
  std::vector<float> weights(rnn->flat_size());
  InitializeParameters(rnn->parameters(), 1, absl::MakeSpan(weights));
  CONTINUO_CHECK(rnn->SetWeights(weights).ok());
  const int rows = static_cast<int>(state.range(0));
  auto decoder = *EventRnnDecoder::Create(rnn.get(), rows);
  CONTINUO_CHECK(decoder->Reset(rows).ok());
  SparseRows inputs;
  inputs.width = kInputs;
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < kEntries; ++i) inputs.Add((row + i * 5) % 5 + i * 5, 1);
    inputs.EndRow();
  }
  std::vector<float> logits(rows * kClasses);
  for (int64_t t = 0; t < kWindow; ++t) {
    CONTINUO_CHECK(decoder->Step(inputs, absl::MakeSpan(logits)).ok());
  }
  Measure(state, rows, 0, 0,
          [&] { return decoder->Step(inputs, absl::MakeSpan(logits)); });
}

void Register() {
  const auto add = [](const std::string& name,
                      void (*bench)(benchmark::State&)) {
    return benchmark::RegisterBenchmark(name.c_str(), bench)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  add("gemm", BenchGemm)->Args({128, 512})->Args({512, 128})->Args({128, 40});
  add("weight_gradient", BenchWeightGradient)
      ->Args({128, 512})
      ->Args({128, 40});
  add("gather_sum", BenchGatherSum);
  add("scatter_add", BenchScatterAdd);
  add("lstm_forward", BenchLstmForward);
  add("lstm_backward", BenchLstmBackward);
  add("gru_forward", BenchGruForward);
  add("gru_backward", BenchGruBackward);
  add("attention_forward", BenchAttentionForward);
  add("attention_backward", BenchAttentionBackward);
  add("dropout", BenchDropout);
  add("softmax_loss", BenchSoftmaxLoss);
  add("clip_adam", BenchClipAdam);
  add("decoder_step", BenchDecoderStep)
      ->ArgNames({"rows", "attention"})
      ->Args({10, 1})
      ->Args({1000, 0})
      ->Args({1000, 1});
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  continuo::bench::GpuSizes sizes;
  continuo::bench::GpuFlags gpu = {
      .sizes = {{"--steps=", &sizes.steps}, {"--rows=", &sizes.rows}}};
  continuo::bench::Initialize(
      &argc, argv, [&gpu](absl::string_view arg) { return gpu.Take(arg); },
      "--device=cpu|cuda[:N] and with cuda --precision=fp32|tf32|bf16, "
      "--filter=TEXT, --steps=T, --rows=N, ");
  if (gpu.device.type == continuo::DeviceType::kCuda) {
    if constexpr (continuo::kHasCuda) {
      return continuo::bench::ExitStatus(continuo::bench::PrintGpuTable(
          gpu.device, gpu.options, sizes, gpu.filter));
    }
    return 1;
  }
  continuo::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
