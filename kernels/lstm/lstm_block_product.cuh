// SPDX-License-Identifier: Apache-2.0

// The recurrent product of a step of the block-persistent LSTM.
//
// out [rows, columns] = x [rows, kDepth] W, with x in shared memory and W on
// chip. A warp owns 16 units. Lane (g, t) = (lane / 4, lane % 4) gets the sums
// of the columns of units 2g and 2g + 1 for kThreadRows rows from
// t * kThreadRows on, in one column tile (backward) or four, one a gate
// (forward): the gates of a cell meet in one thread.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_BLOCK_PRODUCT_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_BLOCK_PRODUCT_CUH_

#include <type_traits>

#include "kernels/lstm/lstm_block_mma.cuh"
#include "kernels/lstm/lstm_block_simt.cuh"

namespace continuo::gpu {

template <typename Layout>
using BlockProduct = std::conditional_t<Layout::kSimt, SimtProduct<Layout>,
                                        TensorProduct<Layout>>;

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_BLOCK_PRODUCT_CUH_
