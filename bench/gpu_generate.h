// SPDX-License-Identifier: Apache-2.0

// Generation on a CUDA device: its speed, and what an event costs by count.

#ifndef CONTINUO_BENCH_GPU_GENERATE_H_
#define CONTINUO_BENCH_GPU_GENERATE_H_

#include <string>

#include "absl/status/status.h"
#include "generate/decoding/generator.h"
#include "runtime/device/device.h"

namespace continuo::bench {

struct GenerateSizes {
  int rows = 64;    // sequences at a time
  int events = 96;  // of each
};

// A line for each published network whose name contains `filter`.
absl::Status PrintGpuGeneration(const Device& device,
                                const ComputeOptions& options,
                                const GenerateSizes& sizes,
                                const SearchOptions& search,
                                const std::string& filter);

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_GPU_GENERATE_H_
