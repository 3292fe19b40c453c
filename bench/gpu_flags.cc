// SPDX-License-Identifier: Apache-2.0

#include "bench/gpu_flags.h"

#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "runtime/base/log.h"

namespace continuo::bench {
namespace {

template <typename T>
bool Assign(const absl::StatusOr<T>& from, T* to) {
  if (!from.ok()) std::exit(ExitStatus(from.status()));
  *to = *from;
  return true;
}

}  // namespace

bool GpuFlags::Take(absl::string_view arg) {
  if (absl::ConsumePrefix(&arg, "--device=")) {
    return Assign(ParseDevice(arg), &device);
  }
  if (absl::ConsumePrefix(&arg, "--precision=")) {
    return Assign(ParsePrecision(arg), &options.precision);
  }
  if (absl::ConsumePrefix(&arg, "--filter=")) {
    filter = std::string(arg);
    return true;
  }
  for (const auto& [flag, value] : sizes) {
    if (!absl::ConsumePrefix(&arg, flag)) continue;
    return absl::SimpleAtoi(arg, value) && *value >= 1;
  }
  return false;
}

int ExitStatus(const absl::Status& status) {
  if (status.ok()) return 0;
  LogError(status.message());
  return 1;
}

}  // namespace continuo::bench
