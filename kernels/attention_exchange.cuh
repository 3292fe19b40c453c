// How the blocks of a group hand values to each other: nothing to do for a
// group of one block; stores to distributed shared memory in a cluster.

#ifndef CONTINUO_KERNELS_ATTENTION_EXCHANGE_CUH_
#define CONTINUO_KERNELS_ATTENTION_EXCHANGE_CUH_

#include <cooperative_groups.h>

namespace continuo::gpu {

template <bool kCluster>
class Exchange;

template <>
class Exchange<false> {
 public:
  __device__ explicit Exchange(int) {}
  __device__ int rank() const { return 0; }
  __device__ void Sync() const { __syncthreads(); }
  // Stores to this address of all blocks' shared memory.
  template <typename T>
  __device__ void ToAll(T* address, T value) const {
    *address = value;
  }
  // The address in the shared memory of block `rank`.
  template <typename T>
  __device__ T* At(T* address, int) const {
    return address;
  }
};

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
template <>
class Exchange<true> {
 public:
  __device__ explicit Exchange(int blocks)
      : blocks_(blocks),
        rank_(
            static_cast<int>(cooperative_groups::this_cluster().block_rank())) {
  }
  __device__ int rank() const { return rank_; }
  __device__ void Sync() const { cooperative_groups::this_cluster().sync(); }
  template <typename T>
  __device__ void ToAll(T* address, T value) const {
    // Each begins with itself, so that no block is every other's first.
    int to = rank_;
    for (int i = 0; i < blocks_; ++i) {
      *At(address, to) = value;
      to = to + 1 == blocks_ ? 0 : to + 1;
    }
  }
  template <typename T>
  __device__ T* At(T* address, int rank) const {
    return cooperative_groups::this_cluster().map_shared_rank(address, rank);
  }

 private:
  int blocks_;
  int rank_;
};
#endif

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_EXCHANGE_CUH_
