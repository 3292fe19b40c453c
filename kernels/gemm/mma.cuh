// SPDX-License-Identifier: Apache-2.0

// The instructions that products on tensor cores are made of, and asynchronous
// copies into shared memory. Of sm_80; newer devices have them too.

#ifndef CONTINUO_KERNELS_GEMM_MMA_CUH_
#define CONTINUO_KERNELS_GEMM_MMA_CUH_

#include <cuda_bf16.h>

#include <cstdint>

namespace continuo::gpu {

// d += a b for a [16, k], b [k, 8] and d [16, 8], spread over a warp. With
// g = lane / 4 and t = lane % 4 a lane holds
//   d: (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1)
//   bf16, k = 16, pairs of consecutive k in a register, the first one low:
//     a: (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8)
//     b: (2t, g), (2t + 8, g)
//   tf32, k = 8: a: (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)
//     b: (t, g), (t + 4, g)
__device__ inline void MmaBf16(float (&d)[4], const uint32_t* a, uint32_t b0,
                               uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
__device__ inline void MmaTf32(float (&d)[4], const uint32_t* a, uint32_t b0,
                               uint32_t b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Bits of x rounded to an operand.
__device__ inline uint32_t ToTf32(float x) {
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
}
__device__ inline uint32_t ToBf16Pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

__device__ inline uint32_t SharedAddress(const void* shared) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

// Four 8 x 8 matrices of 16-bit numbers in shared memory; lane l has the
// address of row l % 8 of matrix l / 8, and gets (g, 2t) and (g, 2t + 1) of
// each.
__device__ inline void LoadMatrices(uint32_t (&to)[4], const void* row) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
      : "r"(SharedAddress(row))
      : "memory");
}

// Starts a copy of 4, 8 or 16 aligned bytes of global memory.
template <int kBytes>
__device__ void CopyAsync(void* shared, const void* global) {
  asm volatile(
      "cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(SharedAddress(shared)),
      "l"(global), "n"(kBytes)
      : "memory");
}
// Ends a group of the thread's copies.
__device__ inline void CommitCopies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
// Waits until at most kGroups of the thread's groups are in flight.
template <int kGroups>
__device__ void WaitForCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_GEMM_MMA_CUH_
