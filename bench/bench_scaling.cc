// SPDX-License-Identifier: Apache-2.0

// What several CPU processes make of a training step, and what the reduction
// costs: the pieces of train/scaling.md.
//
//   bench_scaling --threads=2                            one process
//   scripts/launch/local.sh --cpu=2 bench_scaling --threads=1    two
//
// `train/NAME`: steps of a published network, a micro-batch for each rank, as
// *_train makes them. Counters: `events/s` of all ranks together, by the wall
// clock; `events/cpu_s` by the CPU time of a thread, the reduction aside (what
// an otherwise idle machine would give, with ranks as fast as this one);
// `reduce`, the seconds a step for which this rank waits for others and their
// gradients.
// `reduce/NAME`: the reduction alone, of a gradient of that network's size;
// `bytes` are those that a rank sends, `B/s` that by the time. Rank 0 reports.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bench/bench_support.h"
#include "benchmark/benchmark.h"
#include "data/records/micro_batches.h"
#include "models/network/event_rnn.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/collective/launch_identity.h"
#include "runtime/collective/make_collective.h"

namespace continuo {
namespace {

struct Case {
  const char* name;
  NetworkSpec spec;
  int entries;  // set in an input row
  int rows;
  int iterations;  // the same on all ranks
};

std::vector<Case> Cases() {
  const auto spec = [](int inputs, int classes, std::vector<int> layers,
                       int attn_length) {
    NetworkSpec result;
    result.input_size = inputs;
    result.head_sizes = {classes};
    result.default_label = {0};
    result.layer_sizes = std::move(layers);
    result.attn_length = attn_length;
    return result;
  };
  return {
      {"basic_rnn", spec(38, 38, {128, 128}, 0), 1, 128, 5},
      {"attention_rnn", spec(74, 40, {128, 128}, 40), 14, 128, 5},
      {"drum_kit", spec(518, 512, {256, 256, 256}, 32), 7, 32, 2},
      {"performance_with_dynamics", spec(388, 388, {512, 512, 512}, 0), 1, 16,
       2},
  };
}

// The share of a batch of `config` that a rank has, as ReadPart gives it.
BatchPart MakePart(const Case& config, const MicroBatchRange& range) {
  std::vector<int> lengths = bench::BatchLengths();
  lengths.resize(config.rows);
  const std::vector<EncodedSequence> sequences =
      bench::RandomSequences(lengths, config.spec.input_size, config.entries,
                             config.spec.head_sizes[0]);
  const auto cut = CutBatch(lengths, range.count);
  BatchPart part;
  for (const int length : lengths) part.num_events += length;
  for (int i = range.begin; i < range.end; ++i) {
    std::vector<const EncodedSequence*> rows;
    for (const int32_t row : cut[i]) rows.push_back(&sequences[row]);
    part.micro_batches.push_back(PackBatch(rows, 1));
    part.micro_batches.back().source = cut[i];
  }
  return part;
}

void Train(benchmark::State& state, const Case& config, const Stream& stream,
           Collective* collective) {
  auto rnn = *EventRnn::Create(config.spec, stream);
  std::vector<float> weights(rnn->flat_size());
  InitializeParameters(rnn->parameters(), 1, absl::MakeSpan(weights));
  CONTINUO_CHECK(rnn->SetWeights(weights).ok());
  const GradientShare share = {.micro_batches = collective->size(),
                               .collective = collective};
  const BatchPart part = MakePart(config, share.range());
  const PackedBatch& own = part.micro_batches.front();
  auto trainer = *EventRnnTrainer::Create(rnn.get(), own.num_rows(),
                                          own.num_events(), false, share);
  AdamSpec adam = {.params = {.clip_norm = 5}, .step = 0};
  absl::Duration reduce;
  double cpu = 0;
  const auto step = [&] {
    std::vector<LossSums> sums;
    double norm = 0;
    ++adam.step;
    const double start = bench::CpuSeconds();
    CONTINUO_CHECK(trainer
                       ->ComputePart(part,
                                     {.keep_prob = 0.5,
                                      .seed = 1,
                                      .step = static_cast<uint64_t>(adam.step)},
                                     &sums)
                       .ok());
    cpu += bench::CpuSeconds() - start;
    const absl::Duration begin = MonotonicTime();
    CONTINUO_CHECK(trainer->Reduce().ok());
    reduce += MonotonicTime() - begin;
    const double update = bench::CpuSeconds();
    CONTINUO_CHECK(trainer->ApplyGradients(adam, &norm).ok());
    cpu += bench::CpuSeconds() - update;
  };
  step();  // touches the memory
  CONTINUO_CHECK(collective->Barrier().ok());
  reduce = absl::ZeroDuration();
  cpu = 0;
  for (auto _ : state) step();
  const auto steps = static_cast<double>(state.iterations());
  const double events = steps * static_cast<double>(part.num_events);
  state.counters["events/s"] =
      benchmark::Counter(events, benchmark::Counter::kIsRate);
  state.counters["events/cpu_s"] = events / (cpu / bench::NumThreads());
  state.counters["reduce"] = absl::ToDoubleSeconds(reduce) / steps;
}

// The two moves of the reduction: slices to their owners, sums to all.
void Reduce(benchmark::State& state, const Case& config, const Stream& stream,
            Collective* collective) {
  const int64_t flat = (*EventRnn::Create(config.spec, stream))->flat_size();
  const int ranks = collective->size();
  const int rank = collective->rank();
  std::vector<int64_t> begins;
  for (int r = 0; r <= ranks; ++r) begins.push_back(flat * r / ranks);
  const int64_t slice = begins[rank + 1] - begins[rank];
  std::vector<float> gradient = bench::UniformArray(flat);
  std::vector<float> received(slice * ranks);
  std::vector<absl::Span<const float>> send;
  std::vector<absl::Span<float>> receive;
  for (int r = 0; r < ranks; ++r) {
    send.push_back({gradient.data() + begins[r],
                    static_cast<size_t>(begins[r + 1] - begins[r])});
    receive.push_back(
        {received.data() + r * slice, static_cast<size_t>(slice)});
  }
  CONTINUO_CHECK(collective->Barrier().ok());
  for (auto _ : state) {
    CONTINUO_CHECK(collective->Exchange(stream, send, receive).ok());
    CONTINUO_CHECK(
        collective->AllGather(stream, begins, absl::MakeSpan(gradient)).ok());
    CONTINUO_CHECK(collective->Wait(stream).ok());
  }
  // Of the exchange all but the own slice, of the gathering the own slice to
  // each of the others.
  const auto bytes =
      static_cast<double>(sizeof(float) * (flat - slice + slice * (ranks - 1)));
  state.counters["bytes"] = bytes;
  state.counters["B/s"] =
      benchmark::Counter(bytes * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

// For ranks that report nothing.
class Silence : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

int Main() {
  const absl::StatusOr<LaunchIdentity> identity = FindLaunchIdentity({});
  if (!identity.ok()) {
    LogError(identity.status().message());
    return 1;
  }
  ThreadPool pool(bench::NumThreads());
  const Stream stream{Device(), &pool};
  const auto collective = MakeCollective({.identity = *identity}, stream);
  if (!collective.ok()) {
    LogError(collective.status().message());
    return 1;
  }
  Collective* const ranks = collective->get();
  const std::vector<Case> cases = Cases();
  for (const Case& config : cases) {
    benchmark::RegisterBenchmark(
        (std::string("train/") + config.name).c_str(),
        [&](benchmark::State& state) { Train(state, config, stream, ranks); })
        ->Iterations(config.iterations)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const Case& config : cases) {
    if (ranks->size() == 1) break;
    benchmark::RegisterBenchmark(
        (std::string("reduce/") + config.name).c_str(),
        [&](benchmark::State& state) { Reduce(state, config, stream, ranks); })
        ->Iterations(20)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  if (ranks->rank() == 0) {
    benchmark::RunSpecifiedBenchmarks();
  } else {
    Silence silence;
    benchmark::RunSpecifiedBenchmarks(&silence);
  }
  CONTINUO_CHECK(ranks->Barrier().ok());
  return 0;
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  continuo::bench::Initialize(&argc, argv);
  return continuo::Main();
}
