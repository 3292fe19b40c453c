// SPDX-License-Identifier: Apache-2.0

// Clusters of 8 or 16 blocks take 8 rows each through all steps, with the
// weights in shared memory from the first step to the last.

#include "kernels/attention/attention_cluster.cuh"

namespace continuo::gpu {
namespace {

// The configuration of a launch; `attribute` lives as long.
template <typename Kernel>
absl::Status Configure(const AttentionLayout& layout, Kernel kernel,
                       cudaLaunchAttribute* attribute,
                       cudaLaunchConfig_t* config) {
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           layout.shared_bytes));
  if (layout.blocks > 8) {
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(
        kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  }
  attribute->id = cudaLaunchAttributeClusterDimension;
  attribute->val.clusterDim.x = static_cast<unsigned>(layout.blocks);
  attribute->val.clusterDim.y = 1;
  attribute->val.clusterDim.z = 1;
  config->gridDim = dim3(static_cast<unsigned>(layout.blocks));
  config->blockDim = dim3(kAttentionThreads);
  config->dynamicSmemBytes = static_cast<size_t>(layout.shared_bytes);
  config->attrs = attribute;
  config->numAttrs = 1;
  return absl::OkStatus();
}

template <typename Kernel, typename Params>
absl::Status Launch(const Stream& stream, Kernel kernel, int64_t rows,
                    const Params& params) {
  const AttentionLayout& layout = params.batch.layout;
  cudaLaunchAttribute attribute = {};
  cudaLaunchConfig_t config = {};
  CONTINUO_RETURN_IF_ERROR(Configure(layout, kernel, &attribute, &config));
  config.gridDim.x *= static_cast<unsigned>(CeilDiv(rows, layout.rows));
  config.stream = stream.cuda->stream();
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaLaunchKernelEx(&config, kernel, params));
  return absl::OkStatus();
}

// The kernels' sizes; the wide one is for bf16 alone.
constexpr int kUnits = 128;
constexpr int kWideUnits = 256;

}  // namespace

bool AttentionClusterRuns(AttentionPass pass, const AttentionLayout& layout) {
  if (layout.blocks <= 8) return true;
  const auto runs = [&](auto kernel) {
    cudaLaunchAttribute attribute = {};
    cudaLaunchConfig_t config = {};
    int clusters = 0;
    if (!Configure(layout, kernel, &attribute, &config).ok() ||
        cudaOccupancyMaxActiveClusters(&clusters, kernel, &config) !=
            cudaSuccess) {
      // Not to be taken for an error of a later call.
      (void)cudaGetLastError();
      return false;
    }
    return clusters > 0;
  };
  return pass == AttentionPass::kForward
             ? runs(AttentionForwardKernel<Precision::kBf16, kWideUnits>)
             : runs(AttentionBackwardKernel<Precision::kBf16, kWideUnits>);
}

template <Precision kPrecision>
absl::Status LaunchForwardCluster(
    const Stream& stream, int64_t rows,
    const AttentionForwardParams<AttentionGate<kPrecision>>& params) {
  if constexpr (kPrecision == Precision::kBf16) {
    if (params.batch.n == kWideUnits) {
      return Launch(stream, AttentionForwardKernel<kPrecision, kWideUnits>,
                    rows, params);
    }
  }
  CONTINUO_CHECK(params.batch.n == kUnits);
  return Launch(stream, AttentionForwardKernel<kPrecision, kUnits>, rows,
                params);
}
template <Precision kPrecision>
absl::Status LaunchBackwardCluster(
    const Stream& stream, int64_t rows,
    const AttentionBackwardParams<AttentionGate<kPrecision>>& params) {
  if constexpr (kPrecision == Precision::kBf16) {
    if (params.batch.n == kWideUnits) {
      return Launch(stream, AttentionBackwardKernel<kPrecision, kWideUnits>,
                    rows, params);
    }
  }
  CONTINUO_CHECK(params.batch.n == kUnits);
  return Launch(stream, AttentionBackwardKernel<kPrecision, kUnits>, rows,
                params);
}

#define CONTINUO_INSTANTIATE(kPrecision)                         \
  template absl::Status LaunchForwardCluster<kPrecision>(        \
      const Stream&, int64_t,                                    \
      const AttentionForwardParams<AttentionGate<kPrecision>>&); \
  template absl::Status LaunchBackwardCluster<kPrecision>(       \
      const Stream&, int64_t,                                    \
      const AttentionBackwardParams<AttentionGate<kPrecision>>&)
CONTINUO_INSTANTIATE(Precision::kFp32);
CONTINUO_INSTANTIATE(Precision::kTf32);
CONTINUO_INSTANTIATE(Precision::kBf16);
#undef CONTINUO_INSTANTIATE

}  // namespace continuo::gpu
