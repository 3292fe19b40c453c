// SPDX-License-Identifier: Apache-2.0

// How the blocks of a group hand values to each other: nothing to do for a
// group of one block; stores to distributed shared memory in a cluster.

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_EXCHANGE_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_EXCHANGE_CUH_

#include <cooperative_groups.h>

namespace continuo::gpu {

// Of a cluster of kBlocks blocks.
template <int kBlocks>
struct BlockExchange {
  __device__ static int Rank() {
    return static_cast<int>(cooperative_groups::this_cluster().block_rank());
  }
  // The address in the shared memory of a block of the cluster.
  template <typename T>
  __device__ static T* At(T* address, int rank) {
    return cooperative_groups::this_cluster().map_shared_rank(address, rank);
  }
  // Stores to this address of all blocks.
  template <typename T>
  __device__ static void ToAll(T* address, T value) {
    // Each begins with itself, so that no block is every other's first.
    const int rank = Rank();
#pragma unroll
    for (int i = 0; i < kBlocks; ++i) {
      *At(address, (rank + i) % kBlocks) = value;
    }
  }
  // The blocks synchronize: what each stored before Arrive is there after Wait.
  // Between the two is the place for stores to global memory, which no block
  // else waits for.
  __device__ static void Arrive() {
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
  }
  __device__ static void Wait() {
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
  }
};

template <>
struct BlockExchange<1> {
  __device__ static int Rank() { return 0; }
  template <typename T>
  __device__ static T* At(T* address, int) {
    return address;
  }
  template <typename T>
  __device__ static void ToAll(T* address, T value) {
    *address = value;
  }
  __device__ static void Arrive() {}
  __device__ static void Wait() { __syncthreads(); }
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_EXCHANGE_CUH_
