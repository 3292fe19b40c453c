// SPDX-License-Identifier: Apache-2.0

// Where a block's share of the recurrent weights is, for the LSTM of groups.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_WEIGHTS_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_WEIGHTS_CUH_

#include <cstdint>

#include "kernels/gemm/operand.cuh"
#include "kernels/lstm/lstm_cooperative.h"

namespace continuo::gpu {

// Where the weights of a block are in a packed matrix: forward [h, 4h], of
// which the block has the gates of units [unit, unit + kUnits); backward
// [4h, h], of which it has those columns. Backward k is 4 unit + gate if the
// gates of a unit are `interleaved` in the left operand, else gate h + unit.
struct GroupWeights {
  const float* data;
  int units;  // h
  int unit;
  bool interleaved;

  template <typename Product>
  __device__ const float* At(int k, int column) const {
    if constexpr (Product::kBackward) {
      const int row = interleaved ? (k & 3) * units + (k >> 2) : k;
      return data + row * units + unit + column;
    } else {
      const int gate = column / Product::kUnits;
      return data + (k * 4 + gate) * units + unit + column % Product::kUnits;
    }
  }
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_WEIGHTS_CUH_
