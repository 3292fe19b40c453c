// SPDX-License-Identifier: Apache-2.0

// Launch shapes that depend on what a GPU has, of the operations around the
// recurrent layers.

#ifndef CONTINUO_KERNELS_COMMON_LAUNCH_SHAPES_H_
#define CONTINUO_KERNELS_COMMON_LAUNCH_SHAPES_H_

#include <algorithm>
#include <cstdint>

#include "runtime/device/gpu_properties.h"

namespace continuo::gpu {

// What a block may have of shared memory without asking for it.
inline constexpr int64_t kSharedWithoutAsking = 48 << 10;

// ScatterAdd sums chunks of this many rows, on every device.
inline int64_t ScatterChunkRows(int64_t width) {
  return std::max<int64_t>(256, 4 * width);
}

// Shared memory of a warp's sums [width, 32] in ScatterAdd; 0 where no block
// can have it, and they are made in the scratch.
inline int64_t ScatterSharedBytes(const GpuProperties& gpu, int64_t width) {
  const int64_t bytes = width * 32 * static_cast<int64_t>(sizeof(float));
  return bytes <= gpu.shared_bytes_per_block ? bytes : 0;
}

// A block of Sample: a warp for each row, which keeps two doubles and an
// integer for every class of the largest head.
struct SampleShape {
  int64_t warps = 0;  // 0: a head is larger than the GPU can sample
  int64_t shared_bytes = 0;
};
inline SampleShape MakeSampleShape(const GpuProperties& gpu,
                                   int64_t largest_head) {
  constexpr int64_t kMaxWarps = 4;
  const int64_t each =
      largest_head * static_cast<int64_t>(2 * sizeof(double) + sizeof(int));
  if (each > gpu.shared_bytes_per_block) return {};
  const int64_t warps =
      std::clamp<int64_t>(kSharedWithoutAsking / each, 1, kMaxWarps);
  return {.warps = warps, .shared_bytes = warps * each};
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_COMMON_LAUNCH_SHAPES_H_
