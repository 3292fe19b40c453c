// SPDX-License-Identifier: Apache-2.0

#include "models/network/device_check.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "absl/strings/str_format.h"
#include "kernels/self_check/self_check.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {

absl::Status CheckDevice(const Stream& stream, const NetworkSpec& spec) {
  if (stream.device.type == DeviceType::kCpu) return absl::OkStatus();
  // Wider layers run in the same forms, and their probes take much memory.
  constexpr int kMostUnits = 1024;
  std::set<int> sizes;
  for (int size : spec.layer_sizes) sizes.insert(std::min(size, kMostUnits));
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<SelfCheckResult> results =
      RunSelfCheck(stream, std::vector<int>(sizes.begin(), sizes.end()));
  CONTINUO_RETURN_IF_ERROR(SelfCheckVerdict(stream.device, results));
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - begin;
  LogInfo(
      absl::StrFormat("self check: %d probes on %s agree with the CPU "
                      "(%.1f s)",
                      results.size(), DeviceName(stream.device), took.count()));
  return absl::OkStatus();
}

}  // namespace continuo
