// The attention cell over a ragged batch: one kernel for all time steps, for a
// group of rows at a time (kernels/attention_launch.h).
//
// With the products folded (kernels/attention_fold.cuh) a step is
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

#ifndef CONTINUO_KERNELS_ATTENTION_FORWARD_CUH_
#define CONTINUO_KERNELS_ATTENTION_FORWARD_CUH_

#include "kernels/attend.cuh"
#include "kernels/attention_exchange.cuh"
#include "kernels/attention_product.cuh"
#include "kernels/launch.cuh"
#include "kernels/lstm_cell.cuh"

namespace continuo::gpu {

// Arrays as in AttentionForwardArgs; `wide`, `narrow` and projected_bias as in
// AttentionFolded.
template <typename Gate>
struct AttentionForwardParams {
  AttentionLayout layout;
  const int32_t* alive;
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

// Gates are stored in bfloat16 where operands are.
template <Precision kPrecision>
using GateOf = Operand<kPrecision>;

// Units of a block of a cluster; of the plain form's one block, all.
template <bool kCluster>
__device__ inline int UnitsOf(const AttentionLayout& layout) {
  return kCluster ? kTileUnits : layout.units;
}

// Rows [first, first + rows) that are among the first `alive` ones.
__device__ inline int AliveOf(int alive, int first, int rows) {
  return min(max(alive - first, 0), rows);
}

// Copies `vectors` 16-byte vectors to shared memory.
__device__ inline void LoadVectors(const uint4* from, int vectors, uint4* to) {
  for (int i = threadIdx.x; i < vectors; i += kAttentionThreads) {
    to[i] = from[i];
  }
}

// The two products' weights of a block: copied to shared memory in a cluster.
template <Precision kPrecision, bool kCluster>
__device__ inline void LoadWeights(const AttentionLayout& layout, int rank,
                                   char* shared, const uint4** wide,
                                   const uint4** narrow) {
  if constexpr (kCluster) {
    const int segment = layout.padded * kTileUnits *
                        static_cast<int>(sizeof(Operand<kPrecision>)) / 16;
    const int wide_vectors = segment * kWideIn * kWideOut;
    const int narrow_vectors = segment * kNarrowIn * kNarrowOut;
    uint4* const wide_to =
        reinterpret_cast<uint4*>(shared + layout.wide_weights);
    uint4* const narrow_to =
        reinterpret_cast<uint4*>(shared + layout.narrow_weights);
    LoadVectors(*wide + rank * wide_vectors, wide_vectors, wide_to);
    LoadVectors(*narrow + rank * narrow_vectors, narrow_vectors, narrow_to);
    *wide = wide_to;
    *narrow = narrow_to;
  }
}

// Zeros; `bytes` is a multiple of 16.
__device__ inline void FillZero(char* to, int bytes) {
  for (int i = threadIdx.x * 16; i < bytes; i += kAttentionThreads * 16) {
    *reinterpret_cast<uint4*>(to + i) = make_uint4(0, 0, 0, 0);
  }
}

template <Precision kPrecision, bool kCluster>
__global__ void __launch_bounds__(kAttentionThreads, 1) AttentionForwardKernel(
    const __grid_constant__ AttentionForwardParams<GateOf<kPrecision>> p) {
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
  float* const cell = reinterpret_cast<float*>(shared + l.carry);
  float* const query = reinterpret_cast<float*>(shared + l.query);
  float* const score = reinterpret_cast<float*>(shared + l.score);
  const int64_t ring = int64_t{p.window} * n;
  float* const states = l.states_shared
                            ? reinterpret_cast<float*>(shared + l.states)
                            : p.window_states + (first + own_first) * ring;
  float* const projected =
      l.states_shared ? states + l.own_rows * ring
                      : p.window_projected + (first + own_first) * ring;

  const uint4* wide = p.wide;
  const uint4* narrow = p.narrow;
  LoadWeights<kPrecision, kCluster>(l, rank, shared, &wide, &narrow);
  // Zero operands and cells of the step before the first, and what pads
  // segments; in a cluster all that other blocks write.
  FillZero(shared + l.operands,
           (kCluster ? l.shared_bytes : l.query) - l.operands);
  __syncthreads();
  for (int k = threadIdx.x; k < n; k += kAttentionThreads) {
    score[k] = p.score[k];
  }
  exchange.Sync();

  // Segments of a row's operands: a, h of even and of odd steps, c. h has two,
  // because other blocks may still read the old one when this one is done.
  const auto h_segment = [&](int t) { return (1 + (t & 1)) * l.padded; };
  const int c_segment = 3 * l.padded;
  const ProductShape wide_shape = {kWideIn, kWideOut, l.wide_splits};
  const ProductShape narrow_shape = {kNarrowIn, kNarrowOut, l.narrow_splits};
  const int items = l.rows * units;
  const auto gate_at = [&](int64_t event, int item) {
    const int unit = item % units;
    return p.gates + (event + first + item / units) * 4 * n + rank * units +
           unit;
  };
  struct GateInput {
    Gate z[4];
  };
  const auto load_gates = [&](int64_t begin, int item, int alive) {
    GateInput input = {};
    if (item < items && item / units < alive &&
        rank * units + item % units < n) {
      const Gate* const from = gate_at(begin, item);
#pragma unroll
      for (int gate = 0; gate < 4; ++gate) input.z[gate] = from[gate * n];
    }
    return input;
  };

  int alive_before = 0;
  int64_t begin_before = 0;
  int alive = p.steps > 0 ? AliveOf(p.alive[0], first, l.rows) : 0;
  int64_t begin = 0;
  for (int t = 0; alive > 0 || alive_before > 0; ++t) {
    // Of the next step, asked for before they are needed.
    const int alive_next =
        t + 1 < p.steps ? AliveOf(p.alive[t + 1], first, l.rows) : 0;
    const int64_t begin_next = t + 1 < p.steps ? p.step_begin[t + 1] : 0;
    const GateInput first_input = load_gates(begin, threadIdx.x, alive);

    Product<kPrecision>(l, wide_shape, wide, operands, 0, h_segment(t + 1),
                        units, sums);
    __syncthreads();
    for (int item = threadIdx.x; item < 2 * items; item += kAttentionThreads) {
      const bool is_cell = item < items;
      const int at = is_cell ? item : item - items;
      const int row = at / units;
      const int unit = at % units;
      const int k = rank * units + unit;
      if (k >= n || row >= (is_cell ? alive : alive_before)) continue;
      const auto sum = [&](int segment) {
        return SumOf(l, wide_shape, sums, segment, row, units, unit);
      };
      if (is_cell) {
        const GateInput input = item == static_cast<int>(threadIdx.x)
                                    ? first_input
                                    : load_gates(begin, item, alive);
        Gates gates = {
            ToFloat(input.z[0]) + sum(0), ToFloat(input.z[1]) + sum(1),
            ToFloat(input.z[2]) + sum(2), ToFloat(input.z[3]) + sum(3)};
        float* const carried = cell + row * (units + 4) + unit;
        float c = *carried;
        const float h = CellForward(&gates, &c);
        *carried = c;
        Value* const to = operands + row * l.operand_stride + k;
        exchange.ToAll(to + h_segment(t), ToOperand<kPrecision>(h));
        exchange.ToAll(to + c_segment, ToOperand<kPrecision>(c));
        Gate* const gate = gate_at(begin, item);
        gate[0] = FromFloat<Gate>(gates.i);
        gate[n] = FromFloat<Gate>(gates.j);
        gate[2 * n] = FromFloat<Gate>(gates.f);
        gate[3 * n] = FromFloat<Gate>(gates.o);
        const int64_t event = (begin + first + row) * n + k;
        p.c[event] = c;
        p.h[event] = h;
      } else {
        const float out = p.out_bias[k] + sum(4);
        const float projection = p.projected_bias[k] + sum(5);
        const int64_t event = (begin_before + first + row) * n + k;
        p.out[event] = out;
        p.projected[event] = projection;
        if (row >= alive) continue;
        const int owner = row / l.own_rows;
        const int64_t slot =
            (row - owner * l.own_rows) * ring + (t - 1) % p.window * n + k;
        // In global memory only in the plain form, whose block owns all rows.
        *exchange.At(states + slot, owner) = out;
        *exchange.At(projected + slot, owner) = projection;
      }
    }
    exchange.Sync();
    if (alive == 0) break;

    Product<kPrecision>(l, narrow_shape, narrow, operands, h_segment(t),
                        c_segment, units, sums);
    __syncthreads();
    for (int item = threadIdx.x; item < alive * units;
         item += kAttentionThreads) {
      const int row = item / units;
      const int unit = item % units;
      const int k = rank * units + unit;
      if (k >= n) continue;
      const float q =
          p.query_bias[k] + SumOf(l, narrow_shape, sums, 0, row, units, unit);
      p.query[(begin + first + row) * n + k] = q;
      const int owner = row / l.own_rows;
      *exchange.At(query + (row - owner * l.own_rows) * l.padded + k, owner) =
          q;
    }
    exchange.Sync();

    const WindowRows rows = {
        .rows = AliveOf(alive, own_first, l.own_rows),
        .n = n,
        .stride = l.padded,
        .window = p.window,
        .step = t,
        .groups = l.slot_groups,
        .score = score,
        .query = query,
        .weight = reinterpret_cast<float*>(shared + l.weight),
        .partial = reinterpret_cast<float*>(shared + l.partial)};
    const int64_t own = begin + first + own_first;
    Attend<kPrecision>(
        rows, [&](int row) { return states + row * ring; },
        [&](int row) { return projected + row * ring; },
        [&](int row) { return p.probabilities + (own + row) * p.window; },
        [&](int row, int k, float a) {
          p.attention[(own + row) * n + k] = a;
          exchange.ToAll(operands + (own_first + row) * l.operand_stride + k,
                         ToOperand<kPrecision>(a));
        });
    exchange.Sync();
    alive_before = alive;
    begin_before = begin;
    alive = alive_next;
    begin = begin_next;
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_FORWARD_CUH_
