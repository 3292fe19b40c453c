// SPDX-License-Identifier: Apache-2.0

// What a piece of GPU work costs by count: its launches, and under gpusim the
// simulator's counters of the same launches.

#ifndef CONTINUO_BENCH_GPU_COUNTS_H_
#define CONTINUO_BENCH_GPU_COUNTS_H_

#include <cstdint>
#include <ios>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "runtime/device/device.h"

namespace continuo::bench {

// Nodes of the graph that the work is recorded as.
struct LaunchCounts {
  int kernels = 0;
  int copies = 0;   // copies and fills
  int library = 0;  // calls that gpusim stands in for, one each
};
absl::StatusOr<LaunchCounts> CountLaunches(
    const Stream& stream, absl::FunctionRef<absl::Status()> work);

// Sums of gpusim's records (its README has their meaning). `library_*` are
// those of cuBLAS and cuDNN, whose inside is not simulated.
struct SimulatedCounters {
  int64_t launches = 0;
  int64_t library_calls = 0;
  int64_t load_bytes = 0;
  int64_t store_bytes = 0;
  int64_t distinct_bytes = 0;
  int64_t sectors = 0;  // of 32 bytes, global loads and stores
  int64_t atomics = 0;
  int64_t tensor_flops = 0;
  int64_t fp32_flops = 0;
  int64_t shared_wavefronts = 0;
  int64_t bank_conflict_cycles = 0;
  int64_t warp_instructions = 0;
  int64_t library_flops = 0;
  int64_t library_bytes = 0;

  // Requested bytes over those of the sectors touched; 1 = all are used.
  double SectorEfficiency() const;
};

// Follows the file that GPUSIM_STATS names.
class SimulatedStats {
 public:
  // Not given where GPUSIM_STATS is not set, as it is only for gpusim.
  static std::optional<SimulatedStats> Open();
  // Sums the records since the last call. The stream must be idle.
  SimulatedCounters Take();

 private:
  explicit SimulatedStats(const char* path) : path_(path) {}
  std::string path_;
  std::streamoff read_ = 0;  // bytes taken
};

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_GPU_COUNTS_H_
