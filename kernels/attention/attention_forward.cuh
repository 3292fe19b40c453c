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

#include "kernels/attention/attention_shape.cuh"
#include "kernels/attention/window_attention_block.cuh"
#include "kernels/common/launch.cuh"
#include "kernels/lstm/lstm_cell.cuh"

namespace continuo::gpu {

// Gates are stored in bfloat16 where operands are.
template <Precision kPrecision>
using AttentionGate = Operand<kPrecision>;

// Arrays as in AttentionForwardArgs; `wide`, `narrow` and projected_bias as in
// AttentionFolded.
template <typename Gate>
struct AttentionForwardParams {
  AttentionLayout layout;
  const int32_t* batch_sizes;
  const int32_t* step_begin;
  int steps;
  int n;
  int window;
  const uint4* wide;
  const uint4* narrow;
  const float* query_bias;
  const float* score;
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

template <Precision kPrecision, int kN>
__global__ void __launch_bounds__(kAttentionThreads, 1) AttentionForwardKernel(
    const __grid_constant__ AttentionForwardParams<AttentionGate<kPrecision>>
        p) {
  using Shape = CellShape<kPrecision, AttentionPass::kForward, kN>;
  using Exchange = typename Shape::Exchange;
  using Value = typename Shape::Value;
  using Gate = AttentionGate<kPrecision>;
  constexpr bool kCluster = Shape::kCluster;
  extern __shared__ __align__(16) char shared[];
  const AttentionLayout& l = p.layout;
  const Shape s = {l, p.n};
  const int n = s.n();
  const int units = s.units();
  const int rank = Exchange::Rank();
  const int first = static_cast<int>(blockIdx.x) / Shape::kBlocks * s.rows();
  const int own_first = rank * s.own_rows();
  Value* const operands = reinterpret_cast<Value*>(shared + l.operands);
  float* const sums = reinterpret_cast<float*>(shared + l.sums);
  float* const cell = reinterpret_cast<float*>(shared + l.carry);
  float* const query = reinterpret_cast<float*>(shared + l.query);
  float* const score = reinterpret_cast<float*>(shared + l.score);
  const int64_t ring = int64_t{p.window} * n;
  float* states = reinterpret_cast<float*>(shared + l.states);
  float* projected = states + s.own_rows() * ring;
  if (!kCluster && !l.states_shared) {
    states = p.window_states + first * ring;
    projected = p.window_projected + first * ring;
  }

  const CellWeights weights = LoadWeights(s, p.wide, p.narrow, rank, shared);
  // Zero operands and cells of the step before the first, and what pads
  // segments; in a cluster all that other blocks write.
  FillZero(shared + l.operands,
           (kCluster ? l.shared_bytes : l.query) - l.operands);
  __syncthreads();
  for (int k = threadIdx.x; k < n; k += kAttentionThreads) {
    score[k] = p.score[k];
  }
  Exchange::Arrive();
  Exchange::Wait();

  // Segments of a row's operands: a, h of even and of odd steps, c. h has two,
  // because other blocks may still read the old one when this one is done.
  const auto h_segment = [&](int t) { return (1 + (t & 1)) * s.padded(); };
  const int c_segment = 3 * s.padded();
  const int items = s.rows() * units;
  // In a cluster threads have an item each: of the cell, or of the outputs.
  const int out_thread = static_cast<int>(threadIdx.x) - (kCluster ? items : 0);

  // A thread's unit is always the same in a cluster.
  float own_bias[3] = {};
  if constexpr (kCluster) {
    const int k = rank * units + threadIdx.x % units;
    own_bias[0] = p.query_bias[k];
    own_bias[1] = p.out_bias[k];
    own_bias[2] = p.projected_bias[k];
  }
  const auto bias = [&](int which, const float* all, int k) {
    return kCluster ? own_bias[which] : all[k];
  };

  int alive_before = 0;
  int64_t begin_before = 0;
  int alive = AliveOf(p.batch_sizes[0], first, s.rows());
  int64_t begin = 0;
  for (int t = 0; alive > 0 || alive_before > 0; ++t) {
    // Of the next step, asked for before they are needed.
    const bool more = t + 1 < p.steps;
    const int alive_next =
        more ? AliveOf(p.batch_sizes[t + 1], first, s.rows()) : 0;
    const int64_t begin_next = more ? p.step_begin[t + 1] : 0;
    const auto gates_at = [&](int item) {
      return p.gates + (begin + first + item / units) * 4 * n + rank * units +
             item % units;
    };
    struct Input {
      Gate z[4];
    };
    const auto load = [&](int item) {
      Input input = {};
      if (kCluster || rank * units + item % units < n) {
        const Gate* const from = gates_at(item);
#pragma unroll
        for (int gate = 0; gate < 4; ++gate) input.z[gate] = from[gate * n];
      }
      return input;
    };
    const ItemsAhead<Shape, Input, decltype(load)> cells(alive * units, load);

    Product<kPrecision>(s.wide(), weights.wide, operands, 0, h_segment(t + 1),
                        sums);
    __syncthreads();
    // What goes to global memory once the others have their part.
    Gates gates = {};
    float kept[2] = {};
    const auto store_cell = [&](int item) {
      Gate* const to = gates_at(item);
      to[0] = FromFloat<Gate>(gates.i);
      to[n] = FromFloat<Gate>(gates.j);
      to[2 * n] = FromFloat<Gate>(gates.f);
      to[3 * n] = FromFloat<Gate>(gates.o);
      const int64_t at =
          (begin + first + item / units) * n + rank * units + item % units;
      p.c[at] = kept[0];
      p.h[at] = kept[1];
    };
    cells.ForEach([&](int item, const Input& input) {
      const int row = item / units;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (!kCluster && k >= n) return;
      const auto z = [&](int gate) {
        return ToFloat(input.z[gate]) + SumOf(s.wide(), sums, gate, row, unit);
      };
      gates = {z(0), z(1), z(2), z(3)};
      float* const carried = cell + row * s.carry_stride() + unit;
      kept[0] = *carried;
      kept[1] = CellForward(&gates, &kept[0]);
      *carried = kept[0];
      Value* const to = operands + row * s.operand_stride() + k;
      Exchange::ToAll(to + h_segment(t), ToOperand<kPrecision>(kept[1]));
      Exchange::ToAll(to + c_segment, ToOperand<kPrecision>(kept[0]));
      if (!kCluster) store_cell(item);
    });
    const auto store_out = [&](int item) {
      const int64_t at = (begin_before + first + item / units) * n +
                         rank * units + item % units;
      p.out[at] = kept[0];
      p.projected[at] = kept[1];
    };
    for (int item = out_thread; item >= 0 && item < alive_before * units;
         item += kAttentionThreads) {
      const int row = item / units;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (!kCluster && k >= n) continue;
      kept[0] = bias(1, p.out_bias, k) + SumOf(s.wide(), sums, 4, row, unit);
      kept[1] =
          bias(2, p.projected_bias, k) + SumOf(s.wide(), sums, 5, row, unit);
      if (row < alive) {
        const int owner = row / s.own_rows();
        const int64_t slot =
            (row - owner * s.own_rows()) * ring + (t - 1) % p.window * n + k;
        *Exchange::At(states + slot, owner) = kept[0];
        *Exchange::At(projected + slot, owner) = kept[1];
      }
      if (!kCluster) store_out(item);
    }
    Exchange::Arrive();
    if constexpr (kCluster) {
      if (static_cast<int>(threadIdx.x) < alive * units) {
        store_cell(threadIdx.x);
      } else if (out_thread >= 0 && out_thread < alive_before * units) {
        store_out(out_thread);
      }
    }
    Exchange::Wait();
    if (alive == 0) break;

    Product<kPrecision>(s.narrow(), weights.narrow, operands, h_segment(t),
                        c_segment, sums);
    __syncthreads();
    const auto store_query = [&](int item) {
      p.query[(begin + first + item / units) * n + rank * units +
              item % units] = kept[0];
    };
    for (int item = threadIdx.x; item < alive * units;
         item += kAttentionThreads) {
      const int row = item / units;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (!kCluster && k >= n) continue;
      kept[0] =
          bias(0, p.query_bias, k) + SumOf(s.narrow(), sums, 0, row, unit);
      const int owner = row / s.own_rows();
      *Exchange::At(query + (row - owner * s.own_rows()) * s.padded() + k,
                    owner) = kept[0];
      if (!kCluster) store_query(item);
    }
    Exchange::Arrive();
    if (kCluster && static_cast<int>(threadIdx.x) < alive * units) {
      store_query(threadIdx.x);
    }
    Exchange::Wait();

    const WindowRows rows = {
        .rows = AliveOf(alive, own_first, s.own_rows()),
        .n = n,
        .stride = s.padded(),
        .window = p.window,
        .step = t,
        .groups = s.slot_groups(),
        .score = score,
        .query = query,
        .weight = reinterpret_cast<float*>(shared + l.weight),
        .partial = reinterpret_cast<float*>(shared + l.partial)};
    const int64_t own = begin + first + own_first;
    Attend<kPrecision, kN, kAttentionThreads, kCluster>(
        rows, [&](int row) { return states + row * ring; },
        [&](int row) { return projected + row * ring; },
        [&](int row) { return p.probabilities + (own + row) * p.window; },
        [&](int row, int k, float a) {
          Exchange::ToAll(operands + (own_first + row) * s.operand_stride() + k,
                          ToOperand<kPrecision>(a));
          kept[0] = a;
          if (!kCluster) p.attention[(own + row) * n + k] = a;
        });
    Exchange::Arrive();
    if (kCluster && rows.rows > 0 && static_cast<int>(threadIdx.x) < n) {
      p.attention[own * n + threadIdx.x] = kept[0];
    }
    Exchange::Wait();
    alive_before = alive;
    begin_before = begin;
    alive = alive_next;
    begin = begin_next;
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_FORWARD_CUH_
