// SPDX-License-Identifier: Apache-2.0

// The flags with which a benchmark runs on a GPU instead of the CPU.

#ifndef CONTINUO_BENCH_GPU_FLAGS_H_
#define CONTINUO_BENCH_GPU_FLAGS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/device/device.h"

namespace continuo::bench {

struct GpuFlags {
  Device device = {};           // --device
  ComputeOptions options = {};  // --precision
  std::string filter = "";      // --filter
  // Sizes that the benchmark has besides: "--rows=" and where the value goes,
  // which is 1 or more.
  std::vector<std::pair<absl::string_view, int*>> sizes = {};

  // For Initialize: false if the argument is none of these flags; ends the
  // program if the value is wrong.
  bool Take(absl::string_view arg);
};

// The exit status of a program; prints an error.
int ExitStatus(const absl::Status& status);

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_GPU_FLAGS_H_
