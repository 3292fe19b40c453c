// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace continuo {

absl::Duration MonotonicTime() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

absl::Time WallTime() { return absl::Now(); }

}  // namespace continuo
