// SPDX-License-Identifier: Apache-2.0

// Operands of products in a precision.

#ifndef CONTINUO_KERNELS_GEMM_OPERAND_CUH_
#define CONTINUO_KERNELS_GEMM_OPERAND_CUH_

#include <cuda_bf16.h>

#include <type_traits>

#include "kernels/gemm/mma.cuh"
#include "runtime/device/device.h"

namespace continuo::gpu {

// Type of the operands of a product in a precision; tf32 is a rounded float.
template <Precision kPrecision>
using Operand =
    std::conditional_t<kPrecision == Precision::kBf16, __nv_bfloat16, float>;

template <Precision kPrecision>
__device__ inline Operand<kPrecision> ToOperand(float x) {
  if constexpr (kPrecision == Precision::kBf16) {
    return __float2bfloat16(x);
  } else if constexpr (kPrecision == Precision::kTf32) {
    return __uint_as_float(ToTf32(x));
  } else {
    return x;
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_GEMM_OPERAND_CUH_
