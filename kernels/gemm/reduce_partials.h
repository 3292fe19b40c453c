// SPDX-License-Identifier: Apache-2.0

// The second launch of sums that are made in chunks.

#ifndef CONTINUO_KERNELS_GEMM_REDUCE_PARTIALS_H_
#define CONTINUO_KERNELS_GEMM_REDUCE_PARTIALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/device/device.h"

namespace continuo::gpu {

// Where the sums of chunks are added.
struct ReduceTarget {
  float* to = nullptr;
  int64_t size = 0;
};

// first[i] += the sum over the chunks, in order, of partial[chunk, i], and the
// same of the columns behind those of `first` for `second`.
absl::Status ReducePartials(const Stream& stream, const float* partial,
                            int64_t chunks, const ReduceTarget& first,
                            const ReduceTarget& second = {});

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_GEMM_REDUCE_PARTIALS_H_
