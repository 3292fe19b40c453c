// SPDX-License-Identifier: Apache-2.0

// A short probe of every operation of a stream's device against its form on the
// CPU: small problems, the same inputs, results compared.
//
// What it finds is a device, driver or library that computes something else
// than what the tests saw, before a training relies on it.

#ifndef CONTINUO_KERNELS_SELF_CHECK_SELF_CHECK_H_
#define CONTINUO_KERNELS_SELF_CHECK_SELF_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/device/device.h"

namespace continuo {

struct SelfCheckResult {
  std::string operation;  // "LstmForward, 128 units"
  double difference = 0;  // the largest, over the largest value compared
  double tolerance = 0;   // at the stream's precision; 0: equal
  absl::Status status = absl::OkStatus();  // or why the operation failed

  bool ok() const { return status.ok() && difference <= tolerance; }
};

// Layer sizes that are probed unless others are named: one that fills no tile,
// and those of the published configurations.
inline constexpr int kSelfCheckUnits[] = {33, 128, 256, 512};

// Probes everything; recurrent operations at each of `units`. On the CPU there
// is nothing to compare: no results.
std::vector<SelfCheckResult> RunSelfCheck(
    const Stream& stream, absl::Span<const int> units = kSelfCheckUnits);

// OK, or what differs most on the device, and the remedy.
absl::Status SelfCheckVerdict(const Device& checked,
                              absl::Span<const SelfCheckResult> results);

// Both.
absl::Status SelfCheck(const Stream& stream,
                       absl::Span<const int> units = kSelfCheckUnits);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_SELF_CHECK_SELF_CHECK_H_
