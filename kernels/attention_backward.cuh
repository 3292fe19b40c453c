// Backward through time of the attention cell, as one kernel for all steps (see
// kernels/attention_forward.cuh). From the last step to the first:
//   da_t, dh_t = [dz_t+1, dout_t, dprojected_t] [6n, 2n]
//   backward of the window: dq_t, gradients of its slots and of v; the slot of
//     event t - 1 is then final: it is dout_t-1 and dprojected_t-1
//   dh_t, dc_t += dq_t [n, 2n]; backward of the LSTM cell: dz_t
// The dout of the products lacks what comes through `projected`: weights are
// folded, and a product after the kernel adds it for all events. dx is one
// product after it, too.

#ifndef CONTINUO_KERNELS_ATTENTION_BACKWARD_CUH_
#define CONTINUO_KERNELS_ATTENTION_BACKWARD_CUH_

#include "kernels/attention_forward.cuh"

namespace continuo::gpu {

// Arrays as in AttentionBackwardArgs.
template <typename Gate>
struct AttentionBackwardParams {
  AttentionLayout layout;
  const int32_t* alive;
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

// The number of steps at which row `row` is alive; `alive` descends.
__device__ inline int LengthOf(const int32_t* alive, int steps, int row) {
  int low = 0;
  int high = steps;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (alive[middle] > row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

template <Precision kPrecision, bool kCluster>
__global__ void __launch_bounds__(kAttentionThreads, 1) AttentionBackwardKernel(
    const __grid_constant__ AttentionBackwardParams<GateOf<kPrecision>> p) {
  using Value = Operand<kPrecision>;
  using Gate = GateOf<kPrecision>;
  extern __shared__ __align__(16) char shared[];
  const AttentionLayout& l = p.layout;
  const Exchange<kCluster> exchange(l.blocks);
  const int rank = exchange.rank();
  const int n = p.n;
  const int units = UnitsOf<kCluster>(l);
  const int first = static_cast<int>(blockIdx.x) / l.blocks * l.rows;
  const int own_first = rank * l.own_rows;
  Value* const operands = reinterpret_cast<Value*>(shared + l.operands);
  float* const sums = reinterpret_cast<float*>(shared + l.sums);
  float* const dh_carry = reinterpret_cast<float*>(shared + l.carry);
  float* const dc_carry = dh_carry + l.rows * (units + 4);
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
  float* const projected =
      l.states_shared ? states + l.own_rows * ring : p.window_projected + rings;
  float* const dstates = l.gradients_shared
                             ? reinterpret_cast<float*>(shared + l.gradients)
                             : p.window_dstates + rings;
  float* const dprojected = l.gradients_shared ? dstates + l.own_rows * ring
                                               : p.window_dprojected + rings;

  const int steps = LengthOf(p.alive, p.steps, first);
  // Uniform over the group.
  if (steps == 0) return;
  const uint4* wide = p.wide;
  const uint4* narrow = p.narrow;
  LoadWeights<kPrecision, kCluster>(l, rank, shared, &wide, &narrow);
  // Rows have zero gradients until their last step; the sums of dv begin.
  FillZero(shared + l.operands, l.shared_bytes - l.operands);
  __syncthreads();
  for (int k = threadIdx.x; k < n; k += kAttentionThreads) {
    score[k] = p.score[k];
  }
  exchange.Sync();

  // Segments of a row's operands: dz (4), dout, dprojected, dq.
  const int dout_segment = 4 * l.padded;
  const int dprojected_segment = 5 * l.padded;
  const int dq_segment = 6 * l.padded;
  const ProductShape wide_shape = {kWideOut, kWideIn, l.wide_splits};
  const ProductShape narrow_shape = {kNarrowOut, kNarrowIn, l.narrow_splits};
  const int items = l.rows * units;

  // The event of step t leaves the rings of the own rows with what later steps
  // gave it (`after` rows were there; at the others it is the last event), and
  // the one that its slot held before comes back.
  const auto rotate = [&](int t, int alive, int after) {
    const int64_t event = p.step_begin[t] + first + own_first;
    const int slot = t % p.window;
    const int64_t old =
        t >= p.window ? p.step_begin[t - p.window] + first + own_first : 0;
    for (int task = threadIdx.x; task < alive * l.padded;
         task += kAttentionThreads) {
      const int row = task / l.padded;
      const int k = task % l.padded;
      if (k >= n) continue;
      const int64_t at = (event + row) * n + k;
      const int64_t in_ring = row * ring + int64_t{slot} * n + k;
      float dout = p.dout[at];
      float dprojection = 0;
      const auto enter = [&](int64_t from, int64_t to) {
        states[to] = p.out[from];
        projected[to] = p.projected[from];
        dstates[to] = 0.0f;
        dprojected[to] = 0.0f;
      };
      if (row < after) {
        dout += dstates[in_ring];
        dprojection = dprojected[in_ring];
        if (t >= p.window) enter((old + row) * n + k, in_ring);
      } else {
        for (int step = max(t - p.window, 0); step < t; ++step) {
          enter((p.step_begin[step] + first + own_first + row) * n + k,
                row * ring + int64_t{step % p.window} * n + k);
        }
      }
      p.dout[at] = dout;
      p.dprojected[at] = dprojection;
      Value* const to = operands + (own_first + row) * l.operand_stride + k;
      exchange.ToAll(to + dout_segment, ToOperand<kPrecision>(dout));
      exchange.ToAll(to + dprojected_segment,
                     ToOperand<kPrecision>(dprojection));
    }
  };

  struct CellInput {
    Gate gate[4];
    float c;
    float c_before;
  };
  const auto load_cell = [&](int64_t begin, int64_t begin_before, int t,
                             int item, int alive) {
    CellInput input = {};
    const int row = item / units;
    const int k = rank * units + item % units;
    if (item < items && row < alive && k < n) {
      const int64_t event = begin + first + row;
      const Gate* const from = p.gates + event * 4 * n + k;
#pragma unroll
      for (int gate = 0; gate < 4; ++gate) input.gate[gate] = from[gate * n];
      input.c = p.c[event * n + k];
      if (t > 0) input.c_before = p.c[(begin_before + first + row) * n + k];
    }
    return input;
  };

  int t = steps - 1;
  int alive = AliveOf(p.alive[t], first, l.rows);
  int64_t begin = p.step_begin[t];
  rotate(t, AliveOf(alive, own_first, l.own_rows), 0);
  exchange.Sync();
  for (;; --t) {
    const int alive_before = t > 0 ? AliveOf(p.alive[t - 1], first, l.rows) : 0;
    const int64_t begin_before = t > 0 ? p.step_begin[t - 1] : 0;
    const CellInput cell =
        load_cell(begin, begin_before, t, threadIdx.x, alive);
    const int own_alive = AliveOf(alive, own_first, l.own_rows);
    const int64_t own = begin + first + own_first;
    for (int task = threadIdx.x; task < own_alive * l.padded;
         task += kAttentionThreads) {
      const int k = task % l.padded;
      if (k < n) query[task] = p.query[(own + task / l.padded) * n + k];
    }

    Product<kPrecision>(l, wide_shape, wide, operands, 0, l.padded, units,
                        sums);
    __syncthreads();
    for (int item = threadIdx.x; item < 2 * alive * units;
         item += kAttentionThreads) {
      const int segment = item / (alive * units);
      const int row = item / units - segment * alive;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (k >= n) continue;
      const float sum = SumOf(l, wide_shape, sums, segment, row, units, unit);
      if (segment == 0) {
        const int owner = row / l.own_rows;
        *exchange.At(dattention + (row - owner * l.own_rows) * l.padded + k,
                     owner) = sum;
      } else {
        dh_carry[row * (units + 4) + unit] = sum;
      }
    }
    exchange.Sync();

    const WindowRows rows = {
        .rows = own_alive,
        .n = n,
        .stride = l.padded,
        .window = p.window,
        .step = t,
        .groups = l.slot_groups,
        .score = score,
        .query = query,
        .weight = weight,
        .partial = reinterpret_cast<float*>(shared + l.partial)};
    const WindowGradients gradients = {
        .dattention = dattention,
        .dweight = weight + l.own_rows * (p.window + 1),
        .dscore = dscore};
    AttendBackward<kPrecision>(
        rows, gradients, [&](int row) { return states + row * ring; },
        [&](int row) { return projected + row * ring; },
        [&](int row) { return dstates + row * ring; },
        [&](int row) { return dprojected + row * ring; },
        [&](int row) { return p.probabilities + (own + row) * p.window; },
        [&](int row, int k, float dq) {
          p.query[(own + row) * n + k] = dq;
          exchange.ToAll(
              operands + (own_first + row) * l.operand_stride + dq_segment + k,
              ToOperand<kPrecision>(dq));
        });
    if (t > 0) {
      rotate(t - 1, AliveOf(alive_before, own_first, l.own_rows), own_alive);
    }
    exchange.Sync();

    Product<kPrecision>(l, narrow_shape, narrow, operands, dq_segment, 0, units,
                        sums);
    __syncthreads();
    for (int item = threadIdx.x; item < alive * units;
         item += kAttentionThreads) {
      const int row = item / units;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (k >= n) continue;
      const CellInput input =
          item == static_cast<int>(threadIdx.x)
              ? cell
              : load_cell(begin, begin_before, t, item, alive);
      const int carried = row * (units + 4) + unit;
      const auto sum = [&](int segment) {
        return SumOf(l, narrow_shape, sums, segment, row, units, unit);
      };
      Gates gates = {ToFloat(input.gate[0]), ToFloat(input.gate[1]),
                     ToFloat(input.gate[2]), ToFloat(input.gate[3])};
      float dc = dc_carry[carried] + sum(1);
      CellBackward(&gates, input.c_before, input.c, dh_carry[carried] + sum(0),
                   &dc);
      dc_carry[carried] = dc;
      const float dz[4] = {gates.i, gates.j, gates.f, gates.o};
      Gate* const gate = p.gates + (begin + first + row) * 4 * n + k;
      Value* const to = operands + row * l.operand_stride + k;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        gate[i * n] = FromFloat<Gate>(dz[i]);
        exchange.ToAll(to + i * l.padded, ToOperand<kPrecision>(dz[i]));
      }
    }
    if (t == 0) break;
    exchange.Sync();
    alive = alive_before;
    begin = begin_before;
  }
  // dv of the own rows, the parts of their slots in order.
  const int own_rows = AliveOf(p.alive[0], first + own_first, l.own_rows);
  for (int task = threadIdx.x; task < own_rows * n; task += kAttentionThreads) {
    const int row = task / n;
    const int k = task % n;
    const float* const from = dscore + row * l.slot_groups * l.padded + k;
    float sum = 0;
    for (int group = 0; group < l.slot_groups; ++group) {
      sum += from[group * l.padded];
    }
    p.dv[(first + own_first + row) * static_cast<int64_t>(n) + k] = sum;
  }
  // No block leaves while another may still store to it.
  if constexpr (kCluster) exchange.Sync();
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_BACKWARD_CUH_
