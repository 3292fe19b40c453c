// SPDX-License-Identifier: Apache-2.0

#include "bench/gpu_generate.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "bench/bench_support.h"
#include "bench/gpu_calls.h"
#include "bench/gpu_counts.h"
#include "data/events/encoder_table.h"
#include "models/config/config.h"
#include "models/network/event_rnn.h"
#include "models/network/network.h"
#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"

namespace continuo::bench {
namespace {

absl::Status Run(const EventRnn& rnn, const EventEncoder& encoder,
                 const GenerateSizes& sizes, const SearchOptions& search) {
  std::vector<EventRequest> requests;
  const int entries = search.beam_size * search.branch_factor;
  for (int i = 0; i * entries < sizes.rows; ++i) {
    requests.push_back({.primer = {encoder.default_event()},
                        .num_events = sizes.events,
                        .output = static_cast<uint64_t>(i)});
  }
  GenerateHooks hooks;
  hooks.done = [](int64_t, EventResult) { return absl::OkStatus(); };
  return GenerateEvents(rnn, encoder, requests, search, SeededUniformSource(1),
                        sizes.rows, hooks);
}

absl::Status PrintConfig(const ModelConfig& config, const Stream& stream,
                         const GenerateSizes& sizes,
                         const SearchOptions& search,
                         std::optional<SimulatedStats>* stats) {
  const auto encoder = MakeEventEncoder(config.encoding);
  CONTINUO_ASSIGN_OR_RETURN(
      const std::unique_ptr<EventRnn> rnn,
      EventRnn::Create(MakeNetworkSpec(*encoder, config.hparams), stream));
  std::vector<float> weights(rnn->flat_size());
  InitializeParameters(rnn->parameters(), 1, absl::MakeSpan(weights));
  CONTINUO_RETURN_IF_ERROR(rnn->SetWeights(weights));
  // Without a simulator, the first run loads the kernels.
  if (!stats->has_value()) {
    CONTINUO_RETURN_IF_ERROR(Run(*rnn, *encoder, sizes, search));
  }
  CONTINUO_RETURN_IF_ERROR(Synchronize(stream));
  TakeGpuCalls();
  if (stats->has_value()) (*stats)->Take();
  const absl::Duration begin = MonotonicTime();
  CONTINUO_RETURN_IF_ERROR(Run(*rnn, *encoder, sizes, search));
  const double seconds = absl::ToDoubleSeconds(MonotonicTime() - begin);
  const GpuCalls calls = TakeGpuCalls();
  const double events = sizes.events;
  std::string line =
      absl::StrFormat("| %s | %s | %.2f | %.2f | %d | ", config.name,
                      encoder->InputFeedback().has_value() ? "device" : "host",
                      static_cast<double>(calls.waits) / events,
                      static_cast<double>(calls.copies) / events, calls.graphs);
  if (stats->has_value()) {
    const SimulatedCounters s = (*stats)->Take();
    absl::StrAppendFormat(&line, "%.1f | %.1f | %.0f | %.0f |",
                          static_cast<double>(s.launches) / events,
                          static_cast<double>(s.library_calls) / events,
                          static_cast<double>(s.distinct_bytes) / events / 1e3,
                          static_cast<double>(s.library_bytes) / events / 1e3);
  } else {
    absl::StrAppendFormat(&line, "%.0f | %.1f |", events * sizes.rows / seconds,
                          1e6 * seconds / events);
  }
  std::puts(line.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status PrintGpuGeneration(const Device& device,
                                const ComputeOptions& options,
                                const GenerateSizes& sizes,
                                const SearchOptions& search,
                                const std::string& filter) {
  ThreadPool pool(NumThreads());
  CONTINUO_ASSIGN_OR_RETURN(const OwnedStream owned,
                            OwnedStream::Open(device, options, &pool));
  std::optional<SimulatedStats> stats = SimulatedStats::Open();
  std::printf(
      "%d rows, %d events each; calls and counts for one event of all "
      "rows\n",
      sizes.rows, sizes.events);
  std::printf("| network | loop | waits | copies | graphs in all | %s |\n",
              stats.has_value()
                  ? "kernels | library calls | distinct KB | library KB"
                  : "events/s | us an event");
  std::printf("| --- | --- | --- | --- | --- | --- | --- |%s\n",
              stats.has_value() ? " --- | --- |" : "");
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const ModelConfig& config : Configs(family)) {
      if (!absl::StrContains(config.name, filter)) continue;
      CONTINUO_RETURN_IF_ERROR(
          Annotate(PrintConfig(config, owned.stream(), sizes, search, &stats),
                   config.name));
    }
  }
  return absl::OkStatus();
}

}  // namespace continuo::bench
