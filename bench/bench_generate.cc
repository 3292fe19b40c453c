// SPDX-License-Identifier: Apache-2.0

// Generation speed of the published melody networks at their default sizes.
//
//   bench_generate --threads=2 [--benchmark_format=json]
//
// generate/CONFIG/batch:N  1,000 melodies of 128 steps from middle C, beam 1, N
//     sequences at a time; counters: `events/s` by the wall clock and
//     `events/cpu_s` per second of CPU time times the threads (what an
//     otherwise idle machine would give).
// first_event  from a checkpoint on disk to the first event of one melody.
//
//   bench_generate --device=cuda [--precision=bf16] [--filter=drum]
//
// All networks on a GPU: how often the host waits and copies for an event, and
// the speed; under gpusim (GPUSIM_STATS=FILE) kernels and bytes instead.

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench_support.h"
#include "bench/gpu_flags.h"
#include "bench/gpu_generate.h"
#include "benchmark/benchmark.h"
#include "generate/decoding/generator.h"
#include "generate/model/load_model.h"
#include "models/checkpoint/checkpoint.h"
#include "models/config/run_config.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/device/device.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr int kMelodies = 1000;
constexpr int kSteps = 128;
// What Magenta's commands begin with: middle C, and silence up to the first
// step to generate.
const std::vector<Event>& Primer() {
  static const auto& primer = *new std::vector<Event>{60, -1, -2};
  return primer;
}

using bench::CpuSeconds;

std::vector<float> InitialWeights(const EventRnn& rnn) {
  std::vector<float> weights(rnn.flat_size());
  InitializeParameters(rnn.parameters(), 1, absl::MakeSpan(weights));
  return weights;
}

void Run(const EventRnn& rnn, const EventEncoder& encoder, int melodies,
         int64_t events, int batch) {
  std::vector<EventRequest> requests;
  for (int i = 0; i < melodies; ++i) {
    requests.push_back({.primer = Primer(),
                        .num_events = events,
                        .output = static_cast<uint64_t>(i)});
  }
  GenerateHooks hooks;
  hooks.done = [](int64_t, EventResult result) {
    benchmark::DoNotOptimize(result);
    return absl::OkStatus();
  };
  CONTINUO_CHECK(GenerateEvents(rnn, encoder, requests, {},
                                SeededUniformSource(1), batch, hooks)
                     .ok());
}

void Generate(benchmark::State& state, const ModelConfig& config) {
  ThreadPool pool(bench::NumThreads());
  const auto encoder = MakeEventEncoder(config.encoding);
  const auto rnn = *EventRnn::Create(MakeNetworkSpec(*encoder, config.hparams),
                                     Stream{Device(), &pool});
  CONTINUO_CHECK(rnn->SetWeights(InitialWeights(*rnn)).ok());
  const int64_t events = kSteps - static_cast<int64_t>(Primer().size());
  const double begin = CpuSeconds();
  for (auto _ : state) {
    Run(*rnn, *encoder, kMelodies, events, static_cast<int>(state.range(0)));
  }
  const double cpu = (CpuSeconds() - begin) / bench::NumThreads();
  const double total =
      static_cast<double>(state.iterations() * kMelodies * events);
  state.counters["events/s"] =
      benchmark::Counter(total, benchmark::Counter::kIsRate);
  state.counters["events/cpu_s"] = total / cpu;
}

// Writes the checkpoint of an untrained attention_rnn; returns its run_dir.
std::string WriteRun(const ModelConfig& config) {
  ThreadPool pool(1);
  const auto encoder = MakeEventEncoder(config.encoding);
  const auto rnn = *EventRnn::Create(MakeNetworkSpec(*encoder, config.hparams),
                                     Stream{Device(), &pool});
  const std::string run_dir = absl::StrCat("/tmp/bench_generate.", getpid());
  const std::string train = JoinPath(run_dir, "train");
  TensorMap tensors;
  AddFlatToTensors(rnn->parameters(), "", InitialWeights(*rnn), &tensors);
  const std::string prefix = JoinPath(train, "model.ckpt-0");
  CONTINUO_CHECK(MakeDirectories(train).ok());
  CONTINUO_CHECK(WriteCheckpointV2(prefix, tensors).ok());
  CONTINUO_CHECK(
      WriteCheckpointState(train, {.latest = prefix, .all = {prefix}}).ok());
  CONTINUO_CHECK(
      WriteRunConfig(train, {.model = config, .seed = 1, .version = "bench"})
          .ok());
  return run_dir;
}

void FirstEvent(benchmark::State& state) {
  const ModelConfig config = *FindConfig(Family::kMelody, "attention_rnn");
  ModelSource source;
  source.run_dir = WriteRun(config);
  for (auto _ : state) {
    ThreadPool pool(bench::NumThreads());
    const auto model =
        LoadModel(source, Family::kMelody, Stream{Device(), &pool});
    CONTINUO_CHECK(model.ok());
    Run(*model->rnn, *model->encoder, 1, 1, 1);
  }
}

void Register() {
  for (const ModelConfig& config : Configs(Family::kMelody)) {
    auto* generate = benchmark::RegisterBenchmark(
        absl::StrCat("generate/", config.name).c_str(),
        [&config](benchmark::State& state) { Generate(state, config); });
    generate->ArgName("batch")->UseRealTime()->Unit(benchmark::kMillisecond);
    if (config.name == "attention_rnn") {
      for (int batch : {64, 128, 512, 1000}) generate->Arg(batch);
    }
    generate->Arg(256);
  }
  benchmark::RegisterBenchmark("first_event", FirstEvent)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  continuo::bench::GenerateSizes sizes;
  continuo::SearchOptions search;
  continuo::bench::GpuFlags gpu = {
      .sizes = {{"--rows=", &sizes.rows},
                {"--events=", &sizes.events},
                {"--beam_size=", &search.beam_size},
                {"--branch_factor=", &search.branch_factor}}};
  continuo::bench::Initialize(
      &argc, argv, [&gpu](absl::string_view arg) { return gpu.Take(arg); },
      "--device=cpu|cuda[:N] and with cuda --precision=fp32|tf32|bf16, "
      "--filter=TEXT, --rows=N, --events=N, --beam_size=N, "
      "--branch_factor=N, ");
  if (gpu.device.type == continuo::DeviceType::kCuda) {
    if constexpr (continuo::kHasCuda) {
      return continuo::bench::ExitStatus(continuo::bench::PrintGpuGeneration(
          gpu.device, gpu.options, sizes, search, gpu.filter));
    }
    return 1;
  }
  continuo::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
