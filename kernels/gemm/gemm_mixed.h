// SPDX-License-Identifier: Apache-2.0

// Products in bf16, of arrays of both types.

#ifndef CONTINUO_KERNELS_GEMM_GEMM_MIXED_H_
#define CONTINUO_KERNELS_GEMM_GEMM_MIXED_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/gemm/gemm.h"
#include "runtime/device/device.h"

namespace continuo::gpu {

// Gemm with operands rounded to bfloat16 and float32 sums; a and c may be of
// either type, which cuBLAS does not offer. An element of c depends on its row
// of a alone, not on how many rows there are.
absl::Status MixedGemm(const Stream& stream, const GemmArgs& args);

// WeightGradient with operands rounded to bfloat16 and float32 sums; dz may be
// of either type, dw is given. db are sums of dz as it is.
absl::Status MixedWeightGradient(const Stream& stream,
                                 const WeightGradientArgs& args);
int64_t MixedWeightGradientScratch(int64_t e, int64_t k, int64_t n);

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_GEMM_GEMM_MIXED_H_
