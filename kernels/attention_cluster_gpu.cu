// Clusters of 2 to 8 blocks take 8 rows each through all steps, with the
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
    const AttentionForwardParams<GateOf<kPrecision>>& params) {
  return Launch(stream, AttentionForwardKernel<kPrecision, true>, rows, params);
}
template <Precision kPrecision>
absl::Status LaunchBackwardCluster(
    const Stream& stream, int64_t rows,
    const AttentionBackwardParams<GateOf<kPrecision>>& params) {
  return Launch(stream, AttentionBackwardKernel<kPrecision, true>, rows,
                params);
}

#define CONTINUO_INSTANTIATE(kPrecision)                   \
  template absl::Status LaunchForwardCluster<kPrecision>(  \
      const Stream&, int64_t,                              \
      const AttentionForwardParams<GateOf<kPrecision>>&);  \
  template absl::Status LaunchBackwardCluster<kPrecision>( \
      const Stream&, int64_t,                              \
      const AttentionBackwardParams<GateOf<kPrecision>>&)
CONTINUO_INSTANTIATE(Precision::kFp32);
CONTINUO_INSTANTIATE(Precision::kTf32);
CONTINUO_INSTANTIATE(Precision::kBf16);
#undef CONTINUO_INSTANTIATE

}  // namespace continuo::gpu
