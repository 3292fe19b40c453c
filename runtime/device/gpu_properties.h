// SPDX-License-Identifier: Apache-2.0

// What launch shapes are computed from, so that a test without a device can ask
// for those of any.

#ifndef CONTINUO_RUNTIME_DEVICE_GPU_PROPERTIES_H_
#define CONTINUO_RUNTIME_DEVICE_GPU_PROPERTIES_H_

#include <cstdint>
#include <string>

namespace continuo {

struct GpuProperties {
  std::string name;
  int compute_capability = 0;  // 10 * major + minor: 80, 90, 100
  int multiprocessors = 0;
  int64_t shared_bytes_per_block = 0;  // the most a block can ask for
  int64_t shared_bytes_per_multiprocessor = 0;
  int64_t memory_bytes = 0;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_GPU_PROPERTIES_H_
