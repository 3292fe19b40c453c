// SPDX-License-Identifier: Apache-2.0

// Training speed of the published melody networks at their default sizes:
// batch 128, two layers of 128, dropout 0.5, lengths uniform in 128..512.
//
//   bench_train --threads=2 [--benchmark_format=json]
//   bench_train --device=cuda --precision=bf16
//
// Counters: `events/s` by the wall clock, `events/cpu_s` per second of CPU time
// times the threads (what an otherwise idle machine would give), `GFLOP/s` of
// the matrix products alone (6 per weight that multiplies a dense input), and
// `of_peak`, their share of the fastest single-precision product measured in
// the same run (ours or, in a build that has it, oneDNN's, whichever is faster
// here), both by CPU time.
// On a GPU: `events/s`, `GFLOP/s` by the wall clock, and `recorded`, whether a
// step is one recorded piece of work.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/strip.h"
#include "bench/bench_support.h"
#include "benchmark/benchmark.h"
#include "kernels/gemm/gemm.h"
#include "models/network/event_rnn.h"
#include "runtime/base/log.h"

#ifdef CONTINUO_HAS_ONEDNN
#include "dnnl.h"
#endif

namespace continuo {
namespace {

using bench::CpuSeconds;
using bench::NumThreads;
using bench::UniformArray;

double peak_gflops = 0;  // per CPU second, all threads
Device device;
ComputeOptions options;

// What a published configuration feeds its network. Entries per input row are
// typical of its encoding: a one-hot; three of them, counters and flags; the
// sounding note, keys, counters and flags.
struct Case {
  const char* name;
  int inputs;
  int classes;
  int attn_length;
  int entries;
  bool around_stack = false;  // the attention, as in TensorFlow 0.x
};
constexpr Case kCases[] = {{"basic_rnn", 38, 38, 0, 1},
                           {"mono_rnn", 130, 130, 0, 1},
                           {"lookback_rnn", 121, 40, 0, 9},
                           {"attention_rnn", 74, 40, 40, 14},
                           {"attention_rnn/stack", 74, 40, 40, 14, true}};

PackedBatch MakeBatch(const Case& config) {
  const std::vector<EncodedSequence> sequences = bench::RandomSequences(
      bench::BatchLengths(), config.inputs, config.entries, config.classes);
  std::vector<const EncodedSequence*> pointers;
  for (const EncodedSequence& sequence : sequences) {
    pointers.push_back(&sequence);
  }
  return PackBatch(pointers, 1);
}

// Multiply-adds of one event in products with dense inputs.
double DenseMacs(const EventRnn& rnn) {
  double macs = 0;
  for (const Parameter& parameter : rnn.parameters()) {
    if (parameter.shape.rank() >= 2)
      macs += static_cast<double>(parameter.size);
  }
  // The rows of the first kernel that the sparse inputs pick are no product.
  const Parameter& first = rnn.parameters().front();
  macs -= static_cast<double>(rnn.spec().input_size) * first.shape[1];
  return macs;
}

void Train(benchmark::State& state, const Case& config) {
  ThreadPool pool(NumThreads());
  NetworkSpec spec;
  spec.input_size = config.inputs;
  spec.head_sizes = {config.classes};
  spec.default_label = {0};
  spec.layer_sizes = {128, 128};
  spec.attn_length = config.attn_length;
  spec.attention_around_stack = config.around_stack;
  const OwnedStream owned = *OwnedStream::Open(device, options, &pool);
  auto rnn = *EventRnn::Create(spec, owned.stream());
  std::vector<float> weights(rnn->flat_size());
  InitializeParameters(rnn->parameters(), 1, absl::MakeSpan(weights));
  CONTINUO_CHECK(rnn->SetWeights(weights).ok());
  const PackedBatch batch = MakeBatch(config);
  auto trainer =
      *EventRnnTrainer::Create(rnn.get(), batch.num_rows(), batch.num_events());
  AdamSpec adam = {.params = {.clip_norm = 5}, .step = 0};
  const auto step = [&] {
    LossSums sums;
    double norm = 0;
    ++adam.step;
    CONTINUO_CHECK(trainer
                       ->TrainStep(batch,
                                   {.keep_prob = 0.5,
                                    .seed = 1,
                                    .step = static_cast<uint64_t>(adam.step)},
                                   adam, &sums, &norm)
                       .ok());
  };
  step();  // touches the memory
  step();  // a GPU records it
  const double cpu_begin = CpuSeconds();
  for (auto _ : state) step();
  const double cpu = (CpuSeconds() - cpu_begin) / NumThreads();
  const double events =
      static_cast<double>(state.iterations()) * batch.num_events();
  const double flops = 6 * DenseMacs(*rnn) * events;
  state.counters["events/s"] =
      benchmark::Counter(events, benchmark::Counter::kIsRate);
  if (device.type == DeviceType::kCuda) {
    state.counters["GFLOP/s"] =
        benchmark::Counter(1e-9 * flops, benchmark::Counter::kIsRate);
    state.counters["recorded"] = static_cast<double>(trainer->num_recordings());
    return;
  }
  state.counters["events/cpu_s"] = events / cpu;
  state.counters["GFLOP/s"] = 1e-9 * flops / cpu;
  state.counters["of_peak"] = 1e-9 * flops / cpu / peak_gflops;
}

// Square single-precision products, large enough to be bound by arithmetic.
// The benchmarks below run first and set the peak for the others.
constexpr int64_t kSide = 1024;

void ReportProduct(benchmark::State& state, double cpu) {
  const double flops =
      2.0 * kSide * kSide * kSide * static_cast<double>(state.iterations());
  const double gflops = 1e-9 * flops / (cpu / NumThreads());
  state.counters["GFLOP/s"] = gflops;
  peak_gflops = std::max(peak_gflops, gflops);
}

void OwnProduct(benchmark::State& state) {
  ThreadPool pool(NumThreads());
  const Stream stream{Device(), &pool};
  const std::vector<float> a = UniformArray(kSide * kSide);
  const std::vector<float> b = UniformArray(kSide * kSide);
  std::vector<float> c(kSide * kSide);
  std::vector<float> packed(PackedSize(stream, kSide, kSide) + 16);
  // Packed matrices are aligned to a vector.
  float* aligned = packed.data();
  while (reinterpret_cast<uintptr_t>(aligned) % 64 != 0) ++aligned;
  const TensorView pack(aligned, {PackedSize(stream, kSide, kSide)});
  const Shape square = {kSide, kSide};
  CONTINUO_CHECK(PackMatrix(stream, {.matrix = TensorView(b.data(), square),
                                     .packed = pack})
                     .ok());
  const double begin = CpuSeconds();
  for (auto _ : state) {
    CONTINUO_CHECK(Gemm(stream, {.a = TensorView(a.data(), square),
                                 .b = pack,
                                 .c = TensorView(c.data(), square)})
                       .ok());
  }
  ReportProduct(state, CpuSeconds() - begin);
}

#ifdef CONTINUO_HAS_ONEDNN
// oneDNN brings its own threads (OpenMP); the result is per CPU second, so
// their number does not matter.
void OneDnnProduct(benchmark::State& state) {
  const std::vector<float> a = UniformArray(kSide * kSide);
  const std::vector<float> b = UniformArray(kSide * kSide);
  std::vector<float> c(kSide * kSide);
  const double begin = CpuSeconds();
  for (auto _ : state) {
    CONTINUO_CHECK(dnnl_sgemm('N', 'N', kSide, kSide, kSide, 1.0f, a.data(),
                              kSide, b.data(), kSide, 0.0f, c.data(),
                              kSide) == dnnl_success);
  }
  ReportProduct(state, CpuSeconds() - begin);
}
#endif

template <typename T>
bool Assign(const absl::StatusOr<T>& value, T* to) {
  if (!value.ok()) LogError(value.status().message());
  if (value.ok()) *to = *value;
  return value.ok();
}

bool TakeFlag(absl::string_view arg) {
  if (absl::ConsumePrefix(&arg, "--device=")) {
    return Assign(ParseDevice(arg), &device);
  }
  if (absl::ConsumePrefix(&arg, "--precision=")) {
    return Assign(ParsePrecision(arg), &options.precision);
  }
  if (absl::ConsumePrefix(&arg, "--rnn_backend=")) {
    return Assign(ParseRnnBackend(arg), &options.backend);
  }
  return absl::ConsumePrefix(&arg, "--rnn_form=") &&
         Assign(ParseRecurrentForm(arg), &options.form);
}

void Register() {
  if (device.type == DeviceType::kCpu) {
#ifdef CONTINUO_HAS_ONEDNN
    benchmark::RegisterBenchmark("sgemm_1024/onednn", OneDnnProduct)
        ->UseRealTime();
#endif
    benchmark::RegisterBenchmark("sgemm_1024/own", OwnProduct)->UseRealTime();
  }
  for (const Case& config : kCases) {
    benchmark::RegisterBenchmark(
        (std::string("train/") + config.name).c_str(),
        [&config](benchmark::State& state) { Train(state, config); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  continuo::bench::Initialize(
      &argc, argv, continuo::TakeFlag,
      "--device=DEVICE, --precision=P, --rnn_form=F, --rnn_backend=B, ");
  continuo::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
