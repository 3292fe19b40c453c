// SPDX-License-Identifier: Apache-2.0

// What the kernels of the attention cell share, forward and backward: a block's
// place in its group, its parts of shared memory, and its items, which are a
// unit of a row each.

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_BLOCK_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_BLOCK_CUH_

#include "kernels/attention/attention_shape.cuh"
#include "kernels/attention/window_attention_block.cuh"
#include "kernels/common/launch.cuh"
#include "kernels/lstm/lstm_cell.cuh"

namespace continuo::gpu {

// Gates are stored in bfloat16 where operands are.
template <Precision kPrecision>
using AttentionGate = Operand<kPrecision>;

// The batch and the products of a pass. `wide` and `narrow` as in
// AttentionFolded, `score` is v.
struct AttentionBatch {
  AttentionLayout layout;
  const int32_t* batch_sizes;
  const int32_t* step_begin;
  int steps;
  int n;
  int window;
  const uint4* wide;
  const uint4* narrow;
  const float* score;
};

// A step of a group: how many of its rows are alive, and the first event of all
// rows.
struct GroupStep {
  int alive = 0;
  int64_t begin = 0;
};

template <Precision kPrecision, AttentionPass kPass, int kN>
struct AttentionBlock {
  using Shape = CellShape<kPrecision, kPass, kN>;
  using Exchange = typename Shape::Exchange;
  using Value = typename Shape::Value;
  using Gate = AttentionGate<kPrecision>;
  static constexpr bool kCluster = Shape::kCluster;

  const AttentionBatch& batch;
  const AttentionLayout& layout;
  char* const shared;
  const Shape s;
  const int n;
  const int units;  // of the block
  const int padded;
  const int rank;
  const int first;      // row of the group
  const int own_first;  // of the group's rows, the first with its window here
  const int64_t ring;   // floats of a window
  Value* const operands;
  float* const sums;
  float* const query;
  float* const score;
  CellWeights weights;

  __device__ __forceinline__ AttentionBlock(const AttentionBatch& of,
                                            char* memory)
      : batch(of),
        layout(of.layout),
        shared(memory),
        s{of.layout, of.n},
        n(s.n()),
        units(s.units()),
        padded(s.padded()),
        rank(Exchange::Rank()),
        first(static_cast<int>(blockIdx.x) / Shape::kBlocks * s.rows()),
        own_first(rank * s.own_rows()),
        ring(int64_t{of.window} * n),
        operands(reinterpret_cast<Value*>(memory + layout.operands)),
        sums(Floats(layout.sums)),
        query(Floats(layout.query)),
        score(Floats(layout.score)) {}

  __device__ float* Floats(int offset) const {
    return reinterpret_cast<float*>(shared + offset);
  }

  // Loads the weights of the products and v, and sets shared memory from the
  // operands to `end` to zero. The group meets at its end.
  __device__ __forceinline__ void Prepare(int end) {
    weights = LoadWeights(s, batch.wide, batch.narrow, rank, shared);
    FillZero(shared + layout.operands, end - layout.operands);
    __syncthreads();
    for (int k = threadIdx.x; k < n; k += kAttentionThreads) {
      score[k] = batch.score[k];
    }
    Exchange::Arrive();
    Exchange::Wait();
  }

  // A step that the batch has.
  __device__ GroupStep ReadStep(int t) const {
    return {.alive = AliveOf(batch.batch_sizes[t], first, s.rows()),
            .begin = batch.step_begin[t]};
  }

  // Work on `count` items, of which a thread's first is loaded now.
  template <typename Load>
  __device__ auto Ahead(int count, const Load& load) const {
    return ItemsAhead<Shape, decltype(load(0)), Load>(count, load);
  }

  // Of rows x units: a row of the group and a unit of the block.
  struct Item {
    int row;
    int unit;
    int k;  // the unit's number in the layer
  };
  __device__ Item UnitItem(int item) const {
    const int unit = item % units;
    return {item / units, unit, rank * units + unit};
  }
  // Whether unit k is one of the layer, and does not pad.
  __device__ bool Real(int k) const { return kCluster || k < n; }
  // The place of a row's unit in an array of events x n.
  __device__ int64_t Place(const GroupStep& step, const Item& item) const {
    return (step.begin + first + item.row) * n + item.k;
  }
  // The four gates of a row's unit, which lie n apart.
  struct StoredGates {
    Gate gate[4];
  };
  __device__ StoredGates LoadGates(const Gate* gates, const GroupStep& step,
                                   const Item& item) const {
    const Gate* const from = gates + GatesPlace(step, item);
    StoredGates loaded;
#pragma unroll
    for (int i = 0; i < 4; ++i) loaded.gate[i] = from[i * n];
    return loaded;
  }
  __device__ void StoreGates(Gate* gates, const GroupStep& step,
                             const Item& item, const Gates& values) const {
    Gate* const to = gates + GatesPlace(step, item);
    to[0] = FromFloat<Gate>(values.i);
    to[n] = FromFloat<Gate>(values.j);
    to[2 * n] = FromFloat<Gate>(values.f);
    to[3 * n] = FromFloat<Gate>(values.o);
  }
  __device__ int64_t GatesPlace(const GroupStep& step, const Item& item) const {
    return (step.begin + first + item.row) * 4 * n + item.k;
  }
  // Where the operands of a row's unit are, in its first segment.
  __device__ Value* OperandOf(int row, int k) const {
    return operands + row * s.operand_stride() + k;
  }
  // Enters a value into the vector of a row, in the block that has its window.
  __device__ void ToOwner(float* vectors, int row, int k, float value) const {
    const int owner = row / s.own_rows();
    *Exchange::At(vectors + (row - owner * s.own_rows()) * padded + k, owner) =
        value;
  }

  // The block's own rows, of `alive` ones of the group.
  __device__ int OwnRows(int alive) const {
    return AliveOf(alive, own_first, s.own_rows());
  }
  __device__ WindowRows Window(int rows, int step) const {
    return {.rows = rows,
            .n = n,
            .stride = padded,
            .window = batch.window,
            .step = step,
            .groups = s.slot_groups(),
            .score = score,
            .query = query,
            .weight = Floats(layout.weight),
            .partial = Floats(layout.partial)};
  }
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_BLOCK_CUH_
