// SPDX-License-Identifier: Apache-2.0

// The LSTM by a cooperative grid: 32 units of a layer a block, groups of up to
// 16 blocks, on devices without clusters and for weights that no cluster
// holds. h and dz of a step are read back from the arrays themselves, from the
// level-2 cache; a barrier of the group's blocks says that they are there. It
// takes no atomics: every block counts its own steps where the others look.

#include "kernels/lstm/lstm_cooperative_launch.cuh"
#include "kernels/lstm/lstm_gpu_forms.h"

namespace continuo::gpu {
namespace {

class GridExchange {
 public:
  static constexpr bool kThroughMemory = true;
  static constexpr int kBuffers = 1;

  __device__ static int Rank(const LstmCooperativeLaunch& launch) {
    return static_cast<int>(blockIdx.x) % launch.blocks;
  }
  __device__ static int Index(const LstmCooperativeLaunch& launch) {
    return static_cast<int>(blockIdx.x) / launch.blocks;
  }

  __device__ GridExchange(const LstmCooperativeLaunch& launch,
                          int32_t* arrivals)
      : arrivals_(arrivals + Index(launch) * launch.blocks),
        rank_(Rank(launch)),
        blocks_(launch.blocks) {}

  template <typename T>
  __device__ void Send(const T&, char*) const {}
  // Only the block's own buffers are in use between slices.
  __device__ void Sync() const { __syncthreads(); }
  __device__ void Arrive() {
    ++step_;
    __syncthreads();
    if (threadIdx.x != 0) return;
    __threadfence();
    asm volatile("st.release.gpu.global.s32 [%0], %1;" ::"l"(arrivals_ + rank_),
                 "r"(step_)
                 : "memory");
  }
  __device__ void Wait() const {
    if (threadIdx.x < blocks_) {
      int step;
      do {
        asm volatile("ld.acquire.gpu.global.s32 %0, [%1];"
                     : "=r"(step)
                     : "l"(arrivals_ + threadIdx.x)
                     : "memory");
      } while (step < step_);
    }
    __syncthreads();
  }

 private:
  int32_t* arrivals_;
  int rank_;
  int blocks_;
  int step_ = 0;
};

template <typename Product>
__global__ void __launch_bounds__(kLstmCooperativeThreads, 1)
    GridKernel(GroupArgs<Operand<Product::kPrecision>> args) {
  extern __shared__ uint4 shared[];
  if constexpr (Product::kBackward) {
    GroupBackward<Product, GridExchange>(args, reinterpret_cast<char*>(shared));
  } else {
    GroupForward<Product, GridExchange>(args, reinterpret_cast<char*>(shared));
  }
}

struct GridLauncher {
  // A block a multiprocessor, whatever else it could hold.
  template <typename Product>
  absl::StatusOr<int> Groups(const LstmCooperativeLaunch& launch) const {
    return launch.groups;
  }

  template <typename Product>
  absl::Status Launch(const Stream& stream,
                      GroupArgs<Operand<Product::kPrecision>> args) const {
    const auto kernel = GridKernel<Product>;
    const int blocks = args.launch.blocks * args.launch.groups;
    CONTINUO_CHECK(blocks <= kLstmMaxBlocks);
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        args.launch.shared_bytes));
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaMemsetAsync(
        args.arrivals, 0, blocks * sizeof(int32_t), stream.cuda->stream()));
    void* parameters[] = {&args};
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaLaunchCooperativeKernel(
        reinterpret_cast<const void*>(kernel),
        dim3(static_cast<unsigned>(blocks)), dim3(kLstmCooperativeThreads),
        parameters, static_cast<size_t>(args.launch.shared_bytes),
        stream.cuda->stream()));
    return absl::OkStatus();
  }
};

}  // namespace

absl::Status LstmGridForward(const Stream& stream,
                             const LstmForwardArgs& args) {
  CONTINUO_CHECK(args.scratch.num_elements() >= kLstmMaxBlocks);
  return RunGroups<LstmForm::kGrid>(stream, args, GridLauncher());
}

absl::Status LstmGridBackward(const Stream& stream,
                              const LstmBackwardArgs& args) {
  CONTINUO_CHECK(args.scratch.num_elements() >= kLstmMaxBlocks);
  return RunGroups<LstmForm::kGrid>(stream, args, GridLauncher());
}

}  // namespace continuo::gpu
