// SPDX-License-Identifier: Apache-2.0

#include "kernels/self_check/self_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "kernels/self_check/self_check_probe.h"
#include "runtime/base/status.h"
#include "runtime/device/arena.h"

namespace continuo {
namespace {

// Floats that any of the probes takes: attention has ten matrices of n * n,
// each as drawn and packed, and their transposes the same.
int64_t ProbeFloats(absl::Span<const Probe> probes) {
  int64_t units = 0;
  for (const Probe& probe : probes) units = std::max(units, probe.units);
  return (int64_t{4} << 20) + 4096 * units + 48 * units * units;
}

// Of values that are at most 1 in size. Products have rounded operands: 10
// bits of fraction in tf32, 7 in bf16, where gates are stored so, too; errors
// add up over the steps of a recurrence.
double Tolerance(ProbeAccuracy accuracy, Precision precision) {
  switch (accuracy) {
    case ProbeAccuracy::kEqual:
      return 0;
    case ProbeAccuracy::kRounding:
      return 1e-5;
    case ProbeAccuracy::kProducts:
      break;
  }
  switch (precision) {
    case Precision::kFp32:
      break;
    case Precision::kTf32:
      return 3e-3;
    case Precision::kBf16:
      return 3e-2;
  }
  return 3e-5;
}

// The largest difference of two arrays over the largest value of `want`.
double Difference(const std::vector<double>& got,
                  const std::vector<double>& want) {
  double difference = 0, largest = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double d = std::abs(got[i] - want[i]);
    if (!(d <= std::numeric_limits<double>::max())) {
      return std::numeric_limits<double>::infinity();
    }
    difference = std::max(difference, d);
    largest = std::max(largest, std::abs(want[i]));
  }
  return difference / std::max(largest, 1e-6);
}

absl::Status RunProbe(const Probe& probe, const Stream& stream, Arena* arena,
                      std::vector<std::vector<double>>* values) {
  ProbeRun run(stream, arena);
  CONTINUO_RETURN_IF_ERROR(probe.run(&run, probe.units));
  return run.Read(values);
}

}  // namespace

std::vector<SelfCheckResult> RunProbes(const Stream& stream,
                                       absl::Span<const Probe> probes) {
  std::vector<SelfCheckResult> results;
  const Stream cpu{.pool = stream.pool};
  Arena cpu_arena(cpu.device), arena(stream.device);
  for (Arena* memory : {&cpu_arena, &arena}) {
    memory->Allocate<float>("self check", {ProbeFloats(probes)});
    const absl::Status status = memory->Commit();
    if (!status.ok()) return {{.operation = "memory", .status = status}};
  }
  for (const Probe& probe : probes) {
    SelfCheckResult& result = results.emplace_back();
    result.operation = probe.operation;
    if (probe.units > 0) {
      absl::StrAppend(&result.operation, ", ", probe.units, " units");
    }
    result.tolerance = Tolerance(probe.accuracy, stream.options.precision);
    std::vector<std::vector<double>> got, want;
    result.status = RunProbe(probe, cpu, &cpu_arena, &want);
    result.status.Update(RunProbe(probe, stream, &arena, &got));
    if (!result.status.ok()) continue;
    for (size_t i = 0; i < want.size(); ++i) {
      result.difference =
          std::max(result.difference, Difference(got[i], want[i]));
    }
  }
  return results;
}

std::vector<SelfCheckResult> RunSelfCheck(const Stream& stream,
                                          absl::Span<const int> units) {
  if (stream.device.type == DeviceType::kCpu) return {};
  std::vector<Probe> probes;
  AddDenseProbes(&probes);
  for (int n : units) {
    AddLstmProbes(n, LstmUsesCudnn(stream), &probes);
    AddGruProbes(n, &probes);
    AddAttentionProbes(n, &probes);
  }
  AddTrainingProbes(&probes);
  AddGenerationProbes(&probes);
  return RunProbes(stream, probes);
}

absl::Status SelfCheckVerdict(const Device& checked,
                              absl::Span<const SelfCheckResult> results) {
  const SelfCheckResult* worst = nullptr;
  const auto badness = [](const SelfCheckResult& result) {
    if (!result.status.ok()) return std::numeric_limits<double>::infinity();
    return result.difference / std::max(result.tolerance, 1e-12);
  };
  for (const SelfCheckResult& result : results) {
    if (result.ok()) continue;
    if (worst == nullptr || badness(result) > badness(*worst)) worst = &result;
  }
  if (worst == nullptr) return absl::OkStatus();
  const std::string device = DeviceName(checked);
  if (!worst->status.ok()) {
    return Annotate(worst->status, absl::StrCat("self check of ", device, ": ",
                                                worst->operation));
  }
  return absl::DataLossError(absl::StrCat(
      "self check of ", device, ": ", worst->operation, " differs from the CPU",
      " by ", worst->difference, " (allowed: ", worst->tolerance,
      "); look at the driver, the CUDA libraries and the memory of this GPU "
      "(continuo_self_check `device`=",
      device,
      " lists every operation), use another `device`, or continue "
      "without the check by `self_check`=false"));
}

absl::Status SelfCheck(const Stream& stream, absl::Span<const int> units) {
  return SelfCheckVerdict(stream.device, RunSelfCheck(stream, units));
}

}  // namespace continuo
