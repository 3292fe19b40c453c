// SPDX-License-Identifier: Apache-2.0

#include "bench/gpu_table.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/gpu_counts.h"
#include "runtime/base/status.h"
#include "runtime/device/cuda_stream.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/graph.h"
#include "runtime/device/stream_event.h"

namespace continuo::bench {
namespace {

// Published peaks of the H100 SXM that bounds are stated for: bytes of memory
// and FLOPs a second.
constexpr double kPeakBytes = 3.35e12;
double PeakFlops(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 67e12;
    case Precision::kTf32:
      return 495e12;
    case Precision::kBf16:
      return 989e12;
  }
  return 0;
}

constexpr int kTimedRuns = 20;

// Median seconds of a launch of the recorded work.
absl::StatusOr<double> Time(const Stream& stream, const GpuCase& c) {
  CONTINUO_ASSIGN_OR_RETURN(
      const Graph graph, Graph::Capture(stream, [&] { return c.run(stream); }));
  std::vector<double> seconds;
  for (int i = 0; i < kTimedRuns; ++i) {
    CONTINUO_ASSIGN_OR_RETURN(const StreamEvent begin,
                              StreamEvent::Record(stream));
    CONTINUO_RETURN_IF_ERROR(graph.Launch(stream));
    CONTINUO_ASSIGN_OR_RETURN(const StreamEvent end,
                              StreamEvent::Record(stream));
    CONTINUO_RETURN_IF_ERROR(end.Wait());
    CONTINUO_ASSIGN_OR_RETURN(const double time, end.SecondsSince(begin));
    seconds.push_back(time);
  }
  std::nth_element(seconds.begin(), seconds.begin() + kTimedRuns / 2,
                   seconds.end());
  return seconds[kTimedRuns / 2];
}

std::string SimulatedColumns(const SimulatedCounters& s, const GpuCase& c) {
  const double steps = static_cast<double>(c.steps);
  // Products that no library did.
  const double products =
      c.product_flops - static_cast<double>(s.library_flops);
  const auto per_step = [steps](int64_t count) {
    return static_cast<double>(count) / steps;
  };
  const double wavefronts =
      static_cast<double>(std::max<int64_t>(1, s.shared_wavefronts));
  return absl::StrFormat(
      " %10.0f %10.0f %10.0f %10.0f %6.1f%% %6.1f%% %6.2f%% %7.1f",
      per_step(s.load_bytes), per_step(s.store_bytes),
      per_step(s.distinct_bytes), per_step(s.library_bytes),
      100 * s.SectorEfficiency(),
      products > 0 ? 100 * static_cast<double>(s.tensor_flops) / products : 0.0,
      100 * static_cast<double>(s.bank_conflict_cycles) / wavefronts,
      per_step(s.atomics));
}

absl::Status PrintRow(const Stream& stream, const GpuCase& c,
                      SimulatedStats* stats) {
  CONTINUO_ASSIGN_OR_RETURN(
      const LaunchCounts launches,
      CountLaunches(stream, [&] { return c.run(stream); }));
  const double steps = static_cast<double>(c.steps);
  const double by_bytes = c.bytes / kPeakBytes;
  const double by_flops = c.product_flops / PeakFlops(stream.options.precision);
  std::string line =
      absl::StrFormat("%-34s %8d %7d %9.3f %11.0f %9.3f %-5s", c.name,
                      launches.kernels + launches.library, launches.copies,
                      1e-6 * c.product_flops / steps, c.bytes / steps,
                      1e6 * std::max(by_bytes, by_flops) / steps,
                      by_bytes >= by_flops ? "bytes" : "FLOPs");
  if (stats != nullptr) {
    stats->Take();
    CONTINUO_RETURN_IF_ERROR(c.run(stream));
    CONTINUO_RETURN_IF_ERROR(Synchronize(stream));
    absl::StrAppend(&line, SimulatedColumns(stats->Take(), c));
  } else {
    CONTINUO_ASSIGN_OR_RETURN(const double seconds, Time(stream, c));
    absl::StrAppendFormat(&line, " %10.3f %8.1f %8.3f", 1e6 * seconds / steps,
                          1e-9 * c.bytes / seconds,
                          1e-12 * c.product_flops / seconds);
  }
  absl::PrintF("%s\n", line);
  std::fflush(stdout);
  return absl::OkStatus();
}

absl::string_view PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kTf32:
      return "tf32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kFp32:
      break;
  }
  return "fp32";
}

void PrintHeader(bool simulated) {
  std::string line =
      absl::StrFormat("%-34s %8s %7s %9s %11s %9s %-5s", "operation",
                      "launches", "copies", "MFLOP", "bytes", "bound/us", "by");
  absl::StrAppend(
      &line, simulated
                 ? absl::StrFormat(" %10s %10s %10s %10s %7s %7s %7s %7s",
                                   "loaded", "stored", "distinct", "library",
                                   "sectors", "tensor", "banks", "atomics")
                 : absl::StrFormat(" %10s %8s %8s", "us", "GB/s", "TFLOP/s"));
  absl::PrintF("%s\n", line);
}

}  // namespace

absl::Status PrintGpuTable(const Device& device, const ComputeOptions& options,
                           const GpuSizes& sizes, absl::string_view filter) {
  std::optional<SimulatedStats> stats = SimulatedStats::Open();
  ThreadPool pool(1);
  const auto print = [&](RecurrentForm form, auto make_cases,
                         absl::string_view title) -> absl::Status {
    ComputeOptions form_options = options;
    form_options.form = form;
    CONTINUO_ASSIGN_OR_RETURN(const OwnedStream owned,
                              OwnedStream::Open(device, form_options, &pool));
    const Stream& stream = owned.stream();
    GpuArrays arrays(stream);
    absl::PrintF("\n%s (%s, %s)\n", title, PrecisionName(options.precision),
                 stream.cuda->properties().name);
    PrintHeader(stats.has_value());
    for (const GpuCase& c : make_cases(sizes, &arrays)) {
      if (!absl::StrContains(c.name, filter)) continue;
      const absl::Status status =
          PrintRow(stream, c, stats.has_value() ? &*stats : nullptr);
      if (!status.ok()) {
        absl::PrintF("%-34s %s\n", c.name, status.message());
      }
    }
    return absl::OkStatus();
  };
  absl::PrintF(
      "Launches and copies of the whole operation; all else per time step of\n"
      "%d rows. `bytes` are those of the arguments, each once; the bound is\n"
      "that of an H100 SXM.%s\n",
      sizes.rows,
      stats.has_value()
          ? " The columns behind it are counted by gpusim; those of\n"
            "library calls stand apart."
          : "");
  CONTINUO_RETURN_IF_ERROR(
      print(RecurrentForm::kStepwise, RecurrentCases, "step-wise forms"));
  CONTINUO_RETURN_IF_ERROR(
      print(RecurrentForm::kPersistent, RecurrentCases, "persistent forms"));
  return print(RecurrentForm::kAuto, OtherCases, "other operations");
}

}  // namespace continuo::bench
