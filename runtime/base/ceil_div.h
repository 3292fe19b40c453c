// SPDX-License-Identifier: Apache-2.0

// Division that rounds up, on the host and in kernels.

#ifndef CONTINUO_RUNTIME_BASE_CEIL_DIV_H_
#define CONTINUO_RUNTIME_BASE_CEIL_DIV_H_

#include <cstdint>

#ifdef __CUDACC__
#define CONTINUO_HOST_DEVICE __host__ __device__
#else
#define CONTINUO_HOST_DEVICE
#endif

namespace continuo {

// Parts of `each` that cover `count`.
CONTINUO_HOST_DEVICE constexpr int64_t CeilDiv(int64_t count, int64_t each) {
  return (count + each - 1) / each;
}

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_CEIL_DIV_H_
