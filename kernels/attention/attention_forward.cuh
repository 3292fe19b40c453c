// SPDX-License-Identifier: Apache-2.0

// The attention cell over a ragged batch: one kernel for all time steps, for a
// group of rows at a time (kernels/attention/attention_launch.h).
//
// With the products folded (kernels/attention/attention_fold.cuh) a step is
//   z_t, out_t-1, projected_t-1 = [a_t-1, h_t-1] [2n, 6n]; the LSTM cell
//   q_t = [h_t, c_t] [2n, n]
//   scores, softmax and context of the window
// and the group meets after each of the three: what a block has computed for
// its units goes to the operands of all blocks, and to the block whose window
// it belongs to. out and projected come a step late, in time for the window.
//
// Per row and step: 14 n^2 multiply-adds and A n tanh; global memory is read
// and written once for the arrays that backward needs. Its three meetings and
// the chains of its sums bound it, not bytes: weights come from shared memory
// (cluster) or the level-2 cache (plain form: 14 n^2 operands a group and step,
// which bounds that).

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_FORWARD_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_FORWARD_CUH_

#include "kernels/attention/attention_block.cuh"
#include "kernels/common/launch.cuh"

namespace continuo::gpu {

// Arrays as in AttentionForwardArgs; projected_bias as in AttentionFolded.
template <typename Gate>
struct AttentionForwardParams {
  AttentionBatch batch;
  const float* query_bias;
  const float* out_bias;
  const float* projected_bias;
  Gate* gates;
  float* c;
  float* h;
  float* query;
  float* probabilities;
  float* attention;
  float* out;
  float* projected;
  float* window_states;
  float* window_projected;
};

// A block's share of the pass, a member a phase. In a cluster a thread has one
// item of a phase at most, and what goes to global memory is stored once the
// other blocks have their part.
template <Precision kPrecision, int kN>
struct AttentionForwardBlock {
  using Block = AttentionBlock<kPrecision, AttentionPass::kForward, kN>;
  using Exchange = typename Block::Exchange;
  using Gate = typename Block::Gate;
  using Item = typename Block::Item;
  using StoredGates = typename Block::StoredGates;
  using Params = AttentionForwardParams<Gate>;
  static constexpr bool kCluster = Block::kCluster;

  const Params& p;
  Block b;
  // Of the block's rows: their c, and their windows.
  float* const cell;
  float* states;
  float* projected;
  // The item of the outputs that a thread begins with, or a negative number.
  const int out_thread;
  // In a cluster those of a thread's unit, which is always the same.
  float query_bias = 0;
  float out_bias = 0;
  float projected_bias = 0;

  __device__ __forceinline__ AttentionForwardBlock(const Params& params,
                                                   char* shared)
      : p(params),
        b(params.batch, shared),
        cell(b.Floats(b.layout.carry)),
        states(b.Floats(b.layout.states)),
        projected(states + b.s.own_rows() * b.ring),
        out_thread(static_cast<int>(threadIdx.x) -
                   (kCluster ? b.s.rows() * b.units : 0)) {
    if (!kCluster && !b.layout.states_shared) {
      states = p.window_states + b.first * b.ring;
      projected = p.window_projected + b.first * b.ring;
    }
  }

  __device__ __forceinline__ void Run() {
    // Zero operands and cells of the step before the first, and what pads
    // segments; in a cluster all that other blocks write.
    b.Prepare(kCluster ? b.layout.shared_bytes : b.layout.query);
    if constexpr (kCluster) {
      const int k = b.UnitItem(threadIdx.x).k;
      query_bias = p.query_bias[k];
      out_bias = p.out_bias[k];
      projected_bias = p.projected_bias[k];
    }
    GroupStep before;
    GroupStep now = {.alive =
                         AliveOf(b.batch.batch_sizes[0], b.first, b.s.rows())};
    for (int t = 0; now.alive > 0 || before.alive > 0; ++t) {
      // Of the next step, asked for before they are needed.
      const GroupStep next =
          t + 1 < b.batch.steps ? b.ReadStep(t + 1) : GroupStep();
      CellsAndOutputs(t, now, before);
      if (now.alive == 0) break;
      Queries(t, now);
      Attention(t, now);
      before = now;
      now = next;
    }
  }

  // Segments of a row's operands: a, h of even and of odd steps, c. h has two,
  // because other blocks may still read the old one when this one is done.
  __device__ int h_segment(int t) const { return (1 + (t & 1)) * b.padded; }
  __device__ int c_segment() const { return 3 * b.padded; }

  // The wide product: z of step t and its cells, the outputs of the step
  // before.
  __device__ __forceinline__ void CellsAndOutputs(int t, const GroupStep& now,
                                                  const GroupStep& before) {
    const auto load = [&](int i) {
      const Item item = b.UnitItem(i);
      return b.Real(item.k) ? b.LoadGates(p.gates, now, item) : StoredGates{};
    };
    const auto inputs = b.Ahead(now.alive * b.units, load);
    Product<kPrecision>(b.s.wide(), b.weights.wide, b.operands, 0,
                        h_segment(t + 1), b.sums);
    __syncthreads();
    Cell cells = {};
    inputs.ForEach([&](int i, const StoredGates& input) {
      const Item item = b.UnitItem(i);
      if (!b.Real(item.k)) return;
      cells = StepCell(t, item, input);
      if (!kCluster) StoreCell(now, item, cells);
    });
    Output outputs = {};
    for (int i = out_thread; i >= 0 && i < before.alive * b.units;
         i += kAttentionThreads) {
      const Item item = b.UnitItem(i);
      if (!b.Real(item.k)) continue;
      outputs = EnterOutput(t, now.alive, item);
      if (!kCluster) StoreOutput(before, item, outputs);
    }
    Exchange::Arrive();
    if constexpr (kCluster) {
      if (static_cast<int>(threadIdx.x) < now.alive * b.units) {
        StoreCell(now, b.UnitItem(threadIdx.x), cells);
      } else if (out_thread >= 0 && out_thread < before.alive * b.units) {
        StoreOutput(before, b.UnitItem(out_thread), outputs);
      }
    }
    Exchange::Wait();
  }

  struct Cell {
    Gates gates;
    float c;
    float h;
  };
  __device__ __forceinline__ Cell StepCell(int t, const Item& item,
                                           const StoredGates& input) const {
    const auto z = [&](int gate) {
      return ToFloat(input.gate[gate]) +
             SumOf(b.s.wide(), b.sums, gate, item.row, item.unit);
    };
    Cell made = {.gates = {z(0), z(1), z(2), z(3)}};
    float* const carried = cell + item.row * b.s.carry_stride() + item.unit;
    made.c = *carried;
    made.h = CellForward(&made.gates, &made.c);
    *carried = made.c;
    auto* const to = b.OperandOf(item.row, item.k);
    Exchange::ToAll(to + h_segment(t), ToOperand<kPrecision>(made.h));
    Exchange::ToAll(to + c_segment(), ToOperand<kPrecision>(made.c));
    return made;
  }
  __device__ __forceinline__ void StoreCell(const GroupStep& step,
                                            const Item& item,
                                            const Cell& made) const {
    b.StoreGates(p.gates, step, item, made.gates);
    const int64_t at = b.Place(step, item);
    p.c[at] = made.c;
    p.h[at] = made.h;
  }

  // out and projected of the step before t; they enter the windows of the rows
  // that are alive at step t.
  struct Output {
    float out;
    float projected;
  };
  __device__ __forceinline__ Output EnterOutput(int t, int alive,
                                                const Item& item) const {
    const auto sum = [&](int segment) {
      return SumOf(b.s.wide(), b.sums, segment, item.row, item.unit);
    };
    const Output made = {
        Bias(out_bias, p.out_bias, item.k) + sum(4),
        Bias(projected_bias, p.projected_bias, item.k) + sum(5)};
    if (item.row < alive) {
      const int owner = item.row / b.s.own_rows();
      const int64_t slot = (item.row - owner * b.s.own_rows()) * b.ring +
                           (t - 1) % b.batch.window * b.n + item.k;
      *Exchange::At(states + slot, owner) = made.out;
      *Exchange::At(projected + slot, owner) = made.projected;
    }
    return made;
  }
  __device__ __forceinline__ void StoreOutput(const GroupStep& step,
                                              const Item& item,
                                              const Output& made) const {
    const int64_t at = b.Place(step, item);
    p.out[at] = made.out;
    p.projected[at] = made.projected;
  }
  __device__ float Bias(float own, const float* all, int k) const {
    return kCluster ? own : all[k];
  }

  // The narrow product: q of step t, to the blocks that have the windows.
  __device__ __forceinline__ void Queries(int t, const GroupStep& now) {
    Product<kPrecision>(b.s.narrow(), b.weights.narrow, b.operands,
                        h_segment(t), c_segment(), b.sums);
    __syncthreads();
    float made = 0;
    for (int i = threadIdx.x; i < now.alive * b.units; i += kAttentionThreads) {
      const Item item = b.UnitItem(i);
      if (!b.Real(item.k)) continue;
      made = Bias(query_bias, p.query_bias, item.k) +
             SumOf(b.s.narrow(), b.sums, 0, item.row, item.unit);
      b.ToOwner(b.query, item.row, item.k, made);
      if (!kCluster) p.query[b.Place(now, item)] = made;
    }
    Exchange::Arrive();
    if (kCluster && static_cast<int>(threadIdx.x) < now.alive * b.units) {
      p.query[b.Place(now, b.UnitItem(threadIdx.x))] = made;
    }
    Exchange::Wait();
  }

  // The windows of the block's rows: the context of step t, to all blocks.
  __device__ __forceinline__ void Attention(int t, const GroupStep& now) {
    const WindowRows rows = b.Window(b.OwnRows(now.alive), t);
    const int64_t own = now.begin + b.first + b.own_first;
    float made = 0;
    Attend<kPrecision, kN, kAttentionThreads, kCluster>(
        rows, [&](int row) { return states + row * b.ring; },
        [&](int row) { return projected + row * b.ring; },
        [&](int row) { return p.probabilities + (own + row) * b.batch.window; },
        [&](int row, int k, float a) {
          Exchange::ToAll(b.OperandOf(b.own_first + row, k),
                          ToOperand<kPrecision>(a));
          made = a;
          if (!kCluster) p.attention[(own + row) * b.n + k] = a;
        });
    Exchange::Arrive();
    if (kCluster && rows.rows > 0 && static_cast<int>(threadIdx.x) < b.n) {
      p.attention[own * b.n + threadIdx.x] = made;
    }
    Exchange::Wait();
  }
};

template <Precision kPrecision, int kN>
__global__ void __launch_bounds__(kAttentionThreads, 1) AttentionForwardKernel(
    const __grid_constant__ AttentionForwardParams<AttentionGate<kPrecision>>
        p) {
  extern __shared__ __align__(16) char shared[];
  AttentionForwardBlock<kPrecision, kN>(p, shared).Run();
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_FORWARD_CUH_
