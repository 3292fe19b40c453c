// SPDX-License-Identifier: Apache-2.0

// The cluster form of the attention cell's kernels (compute capability 9.0).

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_CLUSTER_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_CLUSTER_CUH_

#include "absl/status/status.h"
#include "kernels/attention/attention_backward.cuh"
#include "kernels/attention/attention_forward.cuh"

namespace continuo::gpu {

// Whether the device has room for one cluster of the layout, which is sure up
// to 8 blocks: more need as many multiprocessors that share a switch.
bool AttentionClusterRuns(AttentionPass pass, const AttentionLayout& layout);

template <Precision kPrecision>
absl::Status LaunchForwardCluster(
    const Stream& stream, int64_t rows,
    const AttentionForwardParams<AttentionGate<kPrecision>>& params);
template <Precision kPrecision>
absl::Status LaunchBackwardCluster(
    const Stream& stream, int64_t rows,
    const AttentionBackwardParams<AttentionGate<kPrecision>>& params);

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_CLUSTER_CUH_
