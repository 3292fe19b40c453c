// SPDX-License-Identifier: Apache-2.0

// The LSTM by thread-block clusters: 64 units of a layer a block in bf16, 32
// otherwise, so that 256 units are 4 or 8 blocks. h and dz are written into
// the shared memory of every block of the cluster, two buffers in turn, and
// one cluster barrier a step says that they are there.

#include <cooperative_groups.h>

#include "kernels/lstm/lstm_cooperative_launch.cuh"
#include "kernels/lstm/lstm_gpu_forms.h"

namespace continuo::gpu {
namespace {

struct ClusterExchange {
  static constexpr bool kThroughMemory = false;
  static constexpr int kBuffers = 2;

  // This block's place in its group, and the group's among the groups.
  __device__ static int Rank(const LstmCooperativeLaunch& launch) {
    return static_cast<int>(blockIdx.x) % launch.blocks;
  }
  __device__ static int Index(const LstmCooperativeLaunch& launch) {
    return static_cast<int>(blockIdx.x) / launch.blocks;
  }

  __device__ ClusterExchange(const LstmCooperativeLaunch& launch, int32_t*)
      : blocks(launch.blocks) {}

  // Puts it where this block's address is, in every block of the cluster.
  template <typename T>
  __device__ void Send(const T& pack, char* to) const {
    const auto cluster = cooperative_groups::this_cluster();
#pragma unroll 4
    for (int block = 0; block < blocks; ++block) {
      StorePack(pack, cluster.map_shared_rank(to, block));
    }
  }
  __device__ void Sync() const {
    Arrive();
    Wait();
  }
  __device__ void Arrive() const {
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
  }
  __device__ void Wait() const {
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
  }

  int blocks;
};

template <typename Product>
__global__ void __launch_bounds__(kLstmCooperativeThreads, 1)
    ClusterKernel(GroupArgs<Operand<Product::kPrecision>> args) {
  extern __shared__ uint4 shared[];
  if constexpr (Product::kBackward) {
    GroupBackward<Product, ClusterExchange>(args,
                                            reinterpret_cast<char*>(shared));
  } else {
    GroupForward<Product, ClusterExchange>(args,
                                           reinterpret_cast<char*>(shared));
  }
}

// A launch of clusters; the configuration points into it.
struct ClusterConfig {
  explicit ClusterConfig(const LstmCooperativeLaunch& launch) {
    const auto blocks = static_cast<unsigned>(launch.blocks);
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {blocks, 1, 1};
    config.gridDim = dim3(blocks * static_cast<unsigned>(launch.groups));
    config.blockDim = dim3(kLstmCooperativeThreads);
    config.dynamicSmemBytes = static_cast<size_t>(launch.shared_bytes);
    config.attrs = &cluster;
    config.numAttrs = 1;
  }
  ClusterConfig(const ClusterConfig&) = delete;
  cudaLaunchAttribute cluster = {};
  cudaLaunchConfig_t config = {};
};

struct ClusterLauncher {
  // A cluster lies in one of the device's groups of multiprocessors, whose
  // sizes are undocumented; query what fits instead.
  template <typename Product>
  absl::StatusOr<int> Groups(const LstmCooperativeLaunch& launch) const {
    const auto kernel = ClusterKernel<Product>;
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        launch.shared_bytes));
    const ClusterConfig cluster(launch);
    int groups = 0;
    CONTINUO_RETURN_IF_CUDA_ERROR(
        cudaOccupancyMaxActiveClusters(&groups, kernel, &cluster.config));
    return groups;
  }

  template <typename Product>
  absl::Status Launch(
      const Stream& stream,
      const GroupArgs<Operand<Product::kPrecision>>& args) const {
    const auto kernel = ClusterKernel<Product>;
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        args.launch.shared_bytes));
    ClusterConfig cluster(args.launch);
    cluster.config.stream = stream.cuda->stream();
    CONTINUO_RETURN_IF_CUDA_ERROR(
        cudaLaunchKernelEx(&cluster.config, kernel, args));
    return absl::OkStatus();
  }
};

}  // namespace

absl::Status LstmClusterForward(const Stream& stream,
                                const LstmForwardArgs& args) {
  return RunGroups<LstmForm::kCluster>(stream, args, ClusterLauncher());
}

absl::Status LstmClusterBackward(const Stream& stream,
                                 const LstmBackwardArgs& args) {
  return RunGroups<LstmForm::kCluster>(stream, args, ClusterLauncher());
}

}  // namespace continuo::gpu
