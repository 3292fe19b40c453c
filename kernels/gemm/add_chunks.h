// The second launch of sums that are made in chunks.

#ifndef CONTINUO_KERNELS_GEMM_ADD_CHUNKS_H_
#define CONTINUO_KERNELS_GEMM_ADD_CHUNKS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/device/device.h"

namespace continuo::gpu {

// Where the sums of chunks are added.
struct ChunkTarget {
  float* to = nullptr;
  int64_t size = 0;
};

// first[i] += the sum over the chunks, in order, of partial[chunk, i], and the
// same of the columns behind those of `first` for `second`.
absl::Status AddChunks(const Stream& stream, const float* partial,
                       int64_t chunks, const ChunkTarget& first,
                       const ChunkTarget& second = {});

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_GEMM_ADD_CHUNKS_H_
