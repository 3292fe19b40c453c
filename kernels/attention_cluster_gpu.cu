// Clusters of 8 or 16 blocks take 8 rows each through all steps, with the
// weights in shared memory from the first step to the last.

#include "kernels/attention_cluster.cuh"

namespace continuo::gpu {
namespace {

template <typename Kernel, typename Params>
absl::Status Launch(const Stream& stream, Kernel kernel, int64_t rows,
                    const Params& params) {
  const AttentionLayout& layout = params.layout;
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           layout.shared_bytes));
  // More than 8 blocks are not portable: sm_90 and sm_100 have up to 16.
  if (layout.blocks > 8) {
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(
        kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  }
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = layout.blocks;
  attribute.val.clusterDim.y = 1;
  attribute.val.clusterDim.z = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim =
      dim3(static_cast<unsigned>(CeilDiv(rows, layout.rows) * layout.blocks));
  config.blockDim = dim3(kAttentionThreads);
  config.dynamicSmemBytes = layout.shared_bytes;
  config.stream = stream.cuda->stream();
  config.attrs = &attribute;
  config.numAttrs = 1;
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaLaunchKernelEx(&config, kernel, params));
  return absl::OkStatus();
}

}  // namespace

template <Precision kPrecision>
absl::Status LaunchForwardCluster(
    const Stream& stream, int64_t rows,
    const AttentionForwardParams<AttentionGate<kPrecision>>& params) {
  if constexpr (kPrecision == Precision::kBf16) {
    if (params.n == 256) {
      return Launch(stream, AttentionForwardKernel<kPrecision, 256>, rows,
                    params);
    }
  }
  CONTINUO_CHECK(params.n == 128);
  return Launch(stream, AttentionForwardKernel<kPrecision, 128>, rows, params);
}
template <Precision kPrecision>
absl::Status LaunchBackwardCluster(
    const Stream& stream, int64_t rows,
    const AttentionBackwardParams<AttentionGate<kPrecision>>& params) {
  if constexpr (kPrecision == Precision::kBf16) {
    if (params.n == 256) {
      return Launch(stream, AttentionBackwardKernel<kPrecision, 256>, rows,
                    params);
    }
  }
  CONTINUO_CHECK(params.n == 128);
  return Launch(stream, AttentionBackwardKernel<kPrecision, 128>, rows, params);
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
