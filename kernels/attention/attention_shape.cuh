// SPDX-License-Identifier: Apache-2.0

// The sizes of the attention cell's kernels: known to the compiler in the
// cluster form, whose kernels are made for one n; from the layout in the plain
// form.

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_SHAPE_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_SHAPE_CUH_

#include "kernels/attention/attention_exchange.cuh"
#include "kernels/attention/attention_product.cuh"

namespace continuo::gpu {

// kN: n, or 0 for the plain form.
template <Precision kPrecision, AttentionPass kPass, int kN>
struct CellShape {
  static constexpr bool kCluster = kN > 0;
  static constexpr int kBlocks = kCluster ? kN / kAttentionTileUnits : 1;
  using Exchange = BlockExchange<kBlocks>;
  using Value = Operand<kPrecision>;

  // Of a cluster.
  static constexpr int kSlotGroups = kCluster ? AttentionSlotGroups(kN) : 0;
  static constexpr int kOperandStride =
      kCluster ? AttentionOperandStride(kPass, kN, kPrecision) : 0;
  static constexpr int kWideSplits =
      kCluster ? AttentionWideSplits(kPass, kN, kAttentionTileUnits, kPrecision)
               : 0;
  static constexpr int kNarrowSplits =
      kCluster
          ? AttentionNarrowSplits(kPass, kN, kAttentionTileUnits, kPrecision)
          : 0;

  const AttentionLayout& layout;
  int any_n;

  __device__ int n() const { return kCluster ? kN : any_n; }
  __device__ int padded() const { return kCluster ? kN : layout.padded; }
  __device__ int units() const {
    return kCluster ? kAttentionTileUnits : layout.units;
  }
  __device__ int rows() const {
    return kCluster ? kAttentionRows : layout.rows;
  }
  __device__ int own_rows() const { return kCluster ? 1 : layout.own_rows; }
  __device__ int slot_groups() const {
    return kCluster ? kSlotGroups : layout.slot_groups;
  }
  __device__ int operand_stride() const {
    return kCluster ? kOperandStride : layout.operand_stride;
  }
  // Between rows of what blocks carry for their units.
  __device__ int carry_stride() const {
    return kCluster ? kAttentionTileUnits : units();
  }
  __device__ ProductShape wide() const {
    constexpr bool kForward = kPass == AttentionPass::kForward;
    return {.segments_in = kForward ? kWideIn : kWideOut,
            .segments_out = kForward ? kWideOut : kWideIn,
            .splits = kCluster ? kWideSplits : layout.wide_splits,
            .cluster = kCluster,
            .padded = padded(),
            .units = units(),
            .rows = rows(),
            .operand_stride = operand_stride()};
  }
  __device__ ProductShape narrow() const {
    constexpr bool kForward = kPass == AttentionPass::kForward;
    return {.segments_in = kForward ? kNarrowIn : kNarrowOut,
            .segments_out = kForward ? kNarrowOut : kNarrowIn,
            .splits = kCluster ? kNarrowSplits : layout.narrow_splits,
            .cluster = kCluster,
            .padded = padded(),
            .units = units(),
            .rows = rows(),
            .operand_stride = operand_stride()};
  }
  // A thread has at most one item of `rows` x `units`, or of an own row.
  static_assert(!kCluster || (kAttentionRows * kAttentionTileUnits * 2 <=
                                  kAttentionThreads &&
                              kN <= kAttentionThreads));
};

// Rows [first, first + rows) that are among the first `alive` ones.
__device__ inline int AliveOf(int alive, int first, int rows) {
  return min(max(alive - first, 0), rows);
}

// Zeros; `bytes` is a multiple of 16.
__device__ inline void FillZero(char* to, int bytes) {
  for (int i = threadIdx.x * 16; i < bytes; i += kAttentionThreads * 16) {
    *reinterpret_cast<uint4*>(to + i) = make_uint4(0, 0, 0, 0);
  }
}

// Copies 16-byte vectors to shared memory.
__device__ inline void LoadVectors(const uint4* from, int vectors, uint4* to) {
#pragma unroll 4
  for (int i = threadIdx.x; i < vectors; i += kAttentionThreads) {
    to[i] = from[i];
  }
}

// The weights of a block's two products: in a cluster copied to shared memory.
struct CellWeights {
  const uint4* wide;
  const uint4* narrow;
};
template <typename Shape>
__device__ inline CellWeights LoadWeights(const Shape& s, const uint4* wide,
                                          const uint4* narrow, int rank,
                                          char* shared) {
  if constexpr (!Shape::kCluster) {
    return {wide, narrow};
  } else {
    const int segment = s.padded() * s.units() *
                        static_cast<int>(sizeof(typename Shape::Value)) / 16;
    const int wide_vectors = segment * kWideIn * kWideOut;
    const int narrow_vectors = segment * kNarrowIn * kNarrowOut;
    uint4* const wide_to =
        reinterpret_cast<uint4*>(shared + s.layout.wide_weights);
    uint4* const narrow_to =
        reinterpret_cast<uint4*>(shared + s.layout.narrow_weights);
    LoadVectors(wide + rank * wide_vectors, wide_vectors, wide_to);
    LoadVectors(narrow + rank * narrow_vectors, narrow_vectors, narrow_to);
    return {wide_to, narrow_to};
  }
}

// Work of `count` items that a thread takes one after the other; in a cluster
// it has one at most, which is asked for when the step begins: `Load` reads
// global memory long before `Use` needs it.
template <typename Shape, typename Item, typename Load>
class ItemsAhead {
 public:
  __device__ ItemsAhead(int count, const Load& load)
      : count_(count), load_(load) {
    if (static_cast<int>(threadIdx.x) < count) first_ = load(threadIdx.x);
  }
  template <typename Use>
  __device__ void ForEach(const Use& use) const {
    if (static_cast<int>(threadIdx.x) < count_) use(threadIdx.x, first_);
    if constexpr (!Shape::kCluster) {
      for (int item = threadIdx.x + kAttentionThreads; item < count_;
           item += kAttentionThreads) {
        use(item, load_(item));
      }
    }
  }

 private:
  int count_;
  const Load& load_;
  Item first_ = {};
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_SHAPE_CUH_
