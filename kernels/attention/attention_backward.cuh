// SPDX-License-Identifier: Apache-2.0

// Backward through time of the attention cell, as one kernel for all steps (see
// kernels/attention/attention_forward.cuh). From the last step to the first:
//   da_t, dh_t = [dz_t+1, dout_t, dprojected_t] [6n, 2n]
//   backward of the window: dq_t, gradients of its slots and of v; the slot of
//     event t - 1 is then final: it is dout_t-1 and dprojected_t-1
//   dh_t, dc_t += dq_t [n, 2n]; backward of the LSTM cell: dz_t
// The dout of the products lacks what comes through `projected`: weights are
// folded, and a product after the kernel adds it for all events. dx is one
// product after it, too. tanh of the scores is computed again: to keep it would
// be A n values an event.

#ifndef CONTINUO_KERNELS_ATTENTION_ATTENTION_BACKWARD_CUH_
#define CONTINUO_KERNELS_ATTENTION_ATTENTION_BACKWARD_CUH_

#include "kernels/attention/attention_forward.cuh"
#include "kernels/common/row_steps.cuh"

namespace continuo::gpu {

// Arrays as in AttentionBackwardArgs.
template <typename Gate>
struct AttentionBackwardParams {
  AttentionLayout layout;
  const int32_t* batch_sizes;
  const int32_t* step_begin;
  int steps;
  int n;
  int window;
  const uint4* wide;
  const uint4* narrow;
  const float* score;
  Gate* gates;
  const float* c;
  float* query;
  const float* probabilities;
  const float* out;
  const float* projected;
  float* dout;
  float* dprojected;
  float* dv;
  float* window_states;
  float* window_projected;
  float* window_dstates;
  float* window_dprojected;
};

template <Precision kPrecision, int kN>
__global__ void __launch_bounds__(kAttentionThreads, 1) AttentionBackwardKernel(
    const __grid_constant__ AttentionBackwardParams<AttentionGate<kPrecision>>
        p) {
  using Shape = CellShape<kPrecision, AttentionPass::kBackward, kN>;
  using Exchange = typename Shape::Exchange;
  using Value = typename Shape::Value;
  using Gate = AttentionGate<kPrecision>;
  constexpr bool kCluster = Shape::kCluster;
  extern __shared__ __align__(16) char shared[];
  const AttentionLayout& l = p.layout;
  const Shape s = {l, p.n};
  const int n = s.n();
  const int units = s.units();
  const int padded = s.padded();
  const int rank = Exchange::Rank();
  const int first = static_cast<int>(blockIdx.x) / Shape::kBlocks * s.rows();
  const int own_first = rank * s.own_rows();
  Value* const operands = reinterpret_cast<Value*>(shared + l.operands);
  float* const sums = reinterpret_cast<float*>(shared + l.sums);
  float* const dh_carry = reinterpret_cast<float*>(shared + l.carry);
  float* const dc_carry = dh_carry + s.rows() * s.carry_stride();
  float* const query = reinterpret_cast<float*>(shared + l.query);
  float* const dattention = reinterpret_cast<float*>(shared + l.dattention);
  float* const score = reinterpret_cast<float*>(shared + l.score);
  float* const weight = reinterpret_cast<float*>(shared + l.weight);
  float* const dscore = reinterpret_cast<float*>(shared + l.dscore);
  const int64_t ring = int64_t{p.window} * n;
  const int64_t rings = (first + own_first) * ring;
  float* const states = l.states_shared
                            ? reinterpret_cast<float*>(shared + l.states)
                            : p.window_states + rings;
  float* const projected = l.states_shared ? states + s.own_rows() * ring
                                           : p.window_projected + rings;
  float* dstates = reinterpret_cast<float*>(shared + l.gradients);
  float* dprojected = dstates + s.own_rows() * ring;
  if (!kCluster && !l.gradients_shared) {
    dstates = p.window_dstates + rings;
    dprojected = p.window_dprojected + rings;
  }

  const int steps = RowSteps(p.batch_sizes, p.steps, first);
  // Uniform over the group.
  if (steps == 0) return;
  const CellWeights weights = LoadWeights(s, p.wide, p.narrow, rank, shared);
  // Rows have zero gradients until their last step; the sums of dv begin.
  FillZero(shared + l.operands, l.shared_bytes - l.operands);
  __syncthreads();
  for (int k = threadIdx.x; k < n; k += kAttentionThreads) {
    score[k] = p.score[k];
  }
  Exchange::Arrive();
  Exchange::Wait();

  // Segments of a row's operands: dz (4), dout, dprojected, dq.
  const int dout_segment = 4 * padded;
  const int dprojected_segment = 5 * padded;
  const int dq_segment = 6 * padded;
  const auto begin_of = [&](int step) -> int64_t {
    return step >= 0 ? p.step_begin[step] : 0;
  };
  const auto alive_of = [&](int step) {
    return step >= 0 ? AliveOf(p.batch_sizes[step], first, s.rows()) : 0;
  };

  // What the window of an own row takes in and gives out at a step.
  struct Turn {
    float dout;
    float out;  // of the event that comes back, A steps before
    float projected;
  };
  const auto load_turn = [&](int t, int64_t begin, int64_t begin_old,
                             int item) {
    const int row = item / padded;
    const int k = item % padded;
    Turn turn = {};
    if (kCluster || k < n) {
      const int64_t at = (first + own_first + row) * int64_t{n} + k;
      turn.dout = p.dout[begin * n + at];
      if (t >= p.window) {
        turn.out = p.out[begin_old * n + at];
        turn.projected = p.projected[begin_old * n + at];
      }
    }
    return turn;
  };
  // The event of step t leaves the ring with what later steps gave it (`after`
  // own rows were there; at the others it is the last event), and the one that
  // its slot held before comes back. dout and dprojected are left in *turn.
  const auto rotate = [&](int t, int after, int item, Turn* turn) {
    const int row = item / padded;
    const int k = item % padded;
    if (!kCluster && k >= n) return;
    const auto enter = [&](int64_t to, float out, float projection) {
      states[to] = out;
      projected[to] = projection;
      dstates[to] = 0.0f;
      dprojected[to] = 0.0f;
    };
    float dprojection = 0;
    if (row < after) {
      const int64_t slot = row * ring + int64_t{t % p.window} * n + k;
      turn->dout += dstates[slot];
      dprojection = dprojected[slot];
      if (t >= p.window) enter(slot, turn->out, turn->projected);
    } else {
#pragma unroll 4
      for (int step = max(t - p.window, 0); step < t; ++step) {
        const int64_t from = (begin_of(step) + first + own_first + row) * n + k;
        enter(row * ring + int64_t{step % p.window} * n + k, p.out[from],
              p.projected[from]);
      }
    }
    turn->projected = dprojection;
    Value* const to = operands + (own_first + row) * s.operand_stride() + k;
    Exchange::ToAll(to + dout_segment, ToOperand<kPrecision>(turn->dout));
    Exchange::ToAll(to + dprojected_segment,
                    ToOperand<kPrecision>(dprojection));
  };
  const auto store_turn = [&](int64_t begin, int item, const Turn& turn) {
    const int k = item % padded;
    if (!kCluster && k >= n) return;
    const int64_t at = (begin + first + own_first + item / padded) * n + k;
    p.dout[at] = turn.dout;
    p.dprojected[at] = turn.projected;
  };

  int t = steps - 1;
  int alive = alive_of(t);
  int64_t begin = begin_of(t);
  int alive_before = alive_of(t - 1);
  int64_t begin_before = begin_of(t - 1);
  int64_t begin_old = begin_of(t - 1 - p.window);
  for (int item = threadIdx.x;
       item < AliveOf(alive, own_first, s.own_rows()) * padded;
       item += kAttentionThreads) {
    Turn turn = load_turn(t, begin, 0, item);
    rotate(t, 0, item, &turn);
    store_turn(begin, item, turn);
  }
  Exchange::Arrive();
  Exchange::Wait();
  for (;; --t) {
    // Of the next step, asked for before they are needed; so are the items.
    const int alive_next = alive_of(t - 2);
    const int64_t begin_next = begin_of(t - 2);
    const int64_t begin_old_next = begin_of(t - 2 - p.window);
    const int own_alive = AliveOf(alive, own_first, s.own_rows());
    const int own_before = AliveOf(alive_before, own_first, s.own_rows());
    const int64_t own = begin + first + own_first;
    struct CellInput {
      Gate gate[4];
      float c;
      float c_before;
    };
    const auto load_cell = [&](int item) {
      CellInput input = {};
      const int row = item / units;
      const int k = rank * units + item % units;
      if (kCluster || k < n) {
        const int64_t event = begin + first + row;
        const Gate* const from = p.gates + event * 4 * n + k;
#pragma unroll
        for (int gate = 0; gate < 4; ++gate) input.gate[gate] = from[gate * n];
        input.c = p.c[event * n + k];
        if (t > 0) input.c_before = p.c[(begin_before + first + row) * n + k];
      }
      return input;
    };
    const ItemsAhead<Shape, CellInput, decltype(load_cell)> cells(alive * units,
                                                                  load_cell);
    const auto load_query = [&](int item) {
      const int k = item % padded;
      return kCluster || k < n ? p.query[(own + item / padded) * n + k] : 0.0f;
    };
    const ItemsAhead<Shape, float, decltype(load_query)> queries(
        own_alive * padded, load_query);
    const auto load_weight = [&](int item) {
      return p.probabilities[own * p.window + item];
    };
    const ItemsAhead<Shape, float, decltype(load_weight)> probabilities(
        min(own_alive * p.window, kCluster ? kAttentionThreads : 1 << 30),
        load_weight);
    const auto load_before = [&](int item) {
      return load_turn(t - 1, begin_before, begin_old, item);
    };
    const ItemsAhead<Shape, Turn, decltype(load_before)> turns(
        own_before * padded, load_before);

    Product<kPrecision>(s.wide(), weights.wide, operands, 0, padded, sums);
    queries.ForEach([&](int item, float q) { query[item] = q; });
    const int empty = max(p.window - t, 0);
    probabilities.ForEach([&](int item, float probability) {
      // From the order of age to that of slots; the empty ones share a place.
      const int row = item / p.window;
      const int place = item % p.window;
      float* const to = weight + row * (p.window + 1);
      if (place == 0 && empty > 0) to[p.window] = probability;
      if (place >= empty) to[(t + place) % p.window] = probability;
    });
    __syncthreads();
    for (int item = threadIdx.x; item < 2 * alive * units;
         item += kAttentionThreads) {
      const int segment = item >= alive * units ? 1 : 0;
      const int row = item / units - segment * alive;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (!kCluster && k >= n) continue;
      const float sum = SumOf(s.wide(), sums, segment, row, unit);
      if (segment == 0) {
        const int owner = row / s.own_rows();
        *Exchange::At(dattention + (row - owner * s.own_rows()) * padded + k,
                      owner) = sum;
      } else {
        dh_carry[row * s.carry_stride() + unit] = sum;
      }
    }
    Exchange::Arrive();
    Exchange::Wait();

    const WindowRows rows = {
        .rows = own_alive,
        .n = n,
        .stride = padded,
        .window = p.window,
        .step = t,
        .groups = s.slot_groups(),
        .score = score,
        .query = query,
        .weight = weight,
        .partial = reinterpret_cast<float*>(shared + l.partial)};
    const WindowGradients gradients = {
        .dattention = dattention,
        .dweight = weight + s.own_rows() * (p.window + 1),
        .dscore = dscore};
    float kept = 0;
    AttendBackward<kPrecision, kN, kAttentionThreads, kCluster>(
        rows, gradients, [&](int row) { return states + row * ring; },
        [&](int row) { return projected + row * ring; },
        [&](int row) { return dstates + row * ring; },
        [&](int row) { return dprojected + row * ring; },
        [&](int row, int k, float dq) {
          Exchange::ToAll(operands + (own_first + row) * s.operand_stride() +
                              dq_segment + k,
                          ToOperand<kPrecision>(dq));
          kept = dq;
          if (!kCluster) p.query[(own + row) * n + k] = dq;
        });
    Turn turned = {};
    turns.ForEach([&](int item, Turn turn) {
      rotate(t - 1, own_alive, item, &turn);
      turned = turn;
      if (!kCluster) store_turn(begin_before, item, turn);
    });
    Exchange::Arrive();
    if constexpr (kCluster) {
      if (own_alive > 0 && static_cast<int>(threadIdx.x) < n) {
        p.query[own * n + threadIdx.x] = kept;
      }
      if (static_cast<int>(threadIdx.x) < own_before * padded) {
        store_turn(begin_before, threadIdx.x, turned);
      }
    }
    Exchange::Wait();

    Product<kPrecision>(s.narrow(), weights.narrow, operands, dq_segment, 0,
                        sums);
    __syncthreads();
    Gates gates = {};
    const auto store_gates = [&](int item) {
      Gate* const to = p.gates + (begin + first + item / units) * 4 * n +
                       rank * units + item % units;
      to[0] = FromFloat<Gate>(gates.i);
      to[n] = FromFloat<Gate>(gates.j);
      to[2 * n] = FromFloat<Gate>(gates.f);
      to[3 * n] = FromFloat<Gate>(gates.o);
    };
    cells.ForEach([&](int item, const CellInput& input) {
      const int row = item / units;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (!kCluster && k >= n) return;
      const int carried = row * s.carry_stride() + unit;
      const auto sum = [&](int segment) {
        return SumOf(s.narrow(), sums, segment, row, unit);
      };
      gates = {ToFloat(input.gate[0]), ToFloat(input.gate[1]),
               ToFloat(input.gate[2]), ToFloat(input.gate[3])};
      float dc = dc_carry[carried] + sum(1);
      CellBackward(&gates, input.c_before, input.c, dh_carry[carried] + sum(0),
                   &dc);
      dc_carry[carried] = dc;
      Value* const to = operands + row * s.operand_stride() + k;
      Exchange::ToAll(to, ToOperand<kPrecision>(gates.i));
      Exchange::ToAll(to + padded, ToOperand<kPrecision>(gates.j));
      Exchange::ToAll(to + 2 * padded, ToOperand<kPrecision>(gates.f));
      Exchange::ToAll(to + 3 * padded, ToOperand<kPrecision>(gates.o));
      if (!kCluster) store_gates(item);
    });
    Exchange::Arrive();
    if (kCluster && static_cast<int>(threadIdx.x) < alive * units) {
      store_gates(threadIdx.x);
    }
    // No block leaves while another may still store to it.
    Exchange::Wait();
    if (t == 0) break;
    alive = alive_before;
    begin = begin_before;
    alive_before = alive_next;
    begin_before = begin_next;
    begin_old = begin_old_next;
  }
  // dv of the own rows, the parts of their slots in order.
  const int own_rows = AliveOf(alive, own_first, s.own_rows());
  for (int item = threadIdx.x; item < own_rows * n; item += kAttentionThreads) {
    const int row = item / n;
    const int k = item % n;
    const float* const from = dscore + row * s.slot_groups() * padded + k;
    float sum = 0;
    for (int group = 0; group < s.slot_groups(); ++group) {
      sum += from[group * padded];
    }
    p.dv[(first + own_first + row) * int64_t{n} + k] = sum;
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_BACKWARD_CUH_
