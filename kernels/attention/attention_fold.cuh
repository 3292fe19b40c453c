// SPDX-License-Identifier: Apache-2.0

// The attention cell's products with fewer, folded weights, whose sizes do not
// depend on the width of its input:
//   z         = (x Kx + b) + a_prev (K1a Kx) + h_prev R
//   projected = h (Kh W) + a (Ka W) + bo W

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_FOLD_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_FOLD_CUH_

#include "absl/status/status.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/attention_launch.h"
#include "kernels/common/launch.cuh"

namespace continuo::gpu {

// Places in the scratch of the attention operations.
struct AttentionFolded {
  float* attention_to_gates;      // K1a Kx [n, 4n]
  float* h_to_projected;          // Kh W [n, n]
  float* attention_to_projected;  // Ka W [n, n]
  float* projected_bias;          // bo W [n]
  uint4* wide;                    // packed tiles
  uint4* narrow;
  float* rest;  // [e, n]
};

// Folds and packs the weights for a layout: blocks [blocks][tiles of a block]
// [tiles over inputs], as kernels/attention/attention_product.cuh reads them.
// Sums are float32 at every precision.
absl::Status FoldAttention(const Stream& stream, AttentionPass pass,
                           const AttentionWeights& weights,
                           const AttentionLayout& layout, int64_t n,
                           const TensorView& scratch, AttentionFolded* folded);

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_FOLD_CUH_
