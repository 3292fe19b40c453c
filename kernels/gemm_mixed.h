// Products with a bfloat16 array on one side: those that write the gates of an
// LSTM, and those that read their gradient, in bf16.

#ifndef CONTINUO_KERNELS_GEMM_MIXED_H_
#define CONTINUO_KERNELS_GEMM_MIXED_H_

#include "absl/status/status.h"
#include "kernels/gemm.h"
#include "runtime/device.h"

namespace continuo::gpu {

// Gemm for a bfloat16 a or c (or both), which cuBLAS only multiplies with
// operands of one type. Operands are rounded to bfloat16, sums are float32. An
// element of c depends on its row of a alone, not on how many rows there are.
absl::Status MixedGemm(const Stream& stream, const GemmArgs& args);

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_GEMM_MIXED_H_
