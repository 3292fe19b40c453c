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

#include "kernels/attention/attention_block.cuh"
#include "kernels/common/launch.cuh"
#include "kernels/common/row_steps.cuh"

namespace continuo::gpu {

// Arrays as in AttentionBackwardArgs.
template <typename Gate>
struct AttentionBackwardParams {
  AttentionBatch batch;
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

// A block's share of the pass, a member a phase. In a cluster a thread has one
// item of a phase at most, and what goes to global memory is stored once the
// other blocks have their part.
template <Precision kPrecision, int kN>
struct AttentionBackwardBlock {
  using Block = AttentionBlock<kPrecision, AttentionPass::kBackward, kN>;
  using Exchange = typename Block::Exchange;
  using Gate = typename Block::Gate;
  using Item = typename Block::Item;
  using StoredGates = typename Block::StoredGates;
  using Params = AttentionBackwardParams<Gate>;
  static constexpr bool kCluster = Block::kCluster;

  const Params& p;
  Block b;
  // Of the block's units: what a step leaves for the step before it.
  float* const dh_carry;
  float* const dc_carry;
  // Of the block's rows: their windows and the gradients of these.
  float* const dattention;
  float* const weight;
  float* const dscore;
  float* const states;
  float* const projected;
  float* dstates;
  float* dprojected;
  // The step, and the one before it.
  int t = 0;
  GroupStep now;
  GroupStep before;
  int64_t begin_old = 0;  // of the event that comes back to the windows

  __device__ __forceinline__ AttentionBackwardBlock(const Params& params,
                                                    char* shared)
      : p(params),
        b(params.batch, shared),
        dh_carry(b.Floats(b.layout.carry)),
        dc_carry(dh_carry + b.s.rows() * b.s.carry_stride()),
        dattention(b.Floats(b.layout.dattention)),
        weight(b.Floats(b.layout.weight)),
        dscore(b.Floats(b.layout.dscore)),
        states(b.layout.states_shared ? b.Floats(b.layout.states)
                                      : p.window_states + Rings()),
        projected(b.layout.states_shared ? states + b.s.own_rows() * b.ring
                                         : p.window_projected + Rings()),
        dstates(b.Floats(b.layout.gradients)),
        dprojected(dstates + b.s.own_rows() * b.ring) {
    if (!kCluster && !b.layout.gradients_shared) {
      dstates = p.window_dstates + Rings();
      dprojected = p.window_dprojected + Rings();
    }
  }
  // Where the windows of the block's rows begin in global memory.
  __device__ int64_t Rings() const { return (b.first + b.own_first) * b.ring; }

  __device__ __forceinline__ void Run() {
    const int steps = RowSteps(b.batch.batch_sizes, b.batch.steps, b.first);
    // Uniform over the group.
    if (steps == 0) return;
    // Rows have zero gradients until their last step; the sums of dv begin.
    b.Prepare(b.layout.shared_bytes);
    t = steps - 1;
    now = ReadStep(t);
    before = ReadStep(t - 1);
    begin_old = BeginOf(t - 1 - b.batch.window);
    EnterLastStep();
    for (;; --t) {
      // Of the next step, asked for before they are needed.
      const GroupStep next = ReadStep(t - 2);
      const int64_t begin_old_next = BeginOf(t - 2 - b.batch.window);
      Step();
      if (t == 0) break;
      now = before;
      before = next;
      begin_old = begin_old_next;
    }
    StoreScore();
  }

  __device__ int64_t BeginOf(int step) const {
    return step >= 0 ? b.batch.step_begin[step] : 0;
  }
  __device__ GroupStep ReadStep(int step) const {
    return step >= 0 ? b.ReadStep(step) : GroupStep();
  }

  // Segments of a row's operands: dz (4), dout, dprojected, dq.
  __device__ int dout_segment() const { return 4 * b.padded; }
  __device__ int dprojected_segment() const { return 5 * b.padded; }
  __device__ int dq_segment() const { return 6 * b.padded; }

  // What the window of an own row takes in and gives out at a step.
  struct Turn {
    float dout;
    float out;  // of the event that comes back, A steps before
    float projected;
  };
  __device__ __forceinline__ Turn LoadTurn(int step, int64_t begin, int64_t old,
                                           int item) const {
    const int row = item / b.padded;
    const int k = item % b.padded;
    Turn turn = {};
    if (b.Real(k)) {
      const int64_t at = (b.first + b.own_first + row) * int64_t{b.n} + k;
      turn.dout = p.dout[begin * b.n + at];
      if (step >= b.batch.window) {
        turn.out = p.out[old * b.n + at];
        turn.projected = p.projected[old * b.n + at];
      }
    }
    return turn;
  }
  // The event of a step leaves the ring with what later steps gave it (`after`
  // own rows were there; at the others it is the last event), and the one that
  // its slot held before comes back. dout and dprojected are left in *turn.
  __device__ __forceinline__ void Rotate(int step, int after, int item,
                                         Turn* turn) const {
    const int row = item / b.padded;
    const int k = item % b.padded;
    if (!b.Real(k)) return;
    const auto enter = [&](int64_t to, float out, float projection) {
      states[to] = out;
      projected[to] = projection;
      dstates[to] = 0.0f;
      dprojected[to] = 0.0f;
    };
    float dprojection = 0;
    if (row < after) {
      const int64_t slot =
          row * b.ring + int64_t{step % b.batch.window} * b.n + k;
      turn->dout += dstates[slot];
      dprojection = dprojected[slot];
      if (step >= b.batch.window) enter(slot, turn->out, turn->projected);
    } else {
#pragma unroll 4
      for (int old = max(step - b.batch.window, 0); old < step; ++old) {
        const int64_t from =
            (BeginOf(old) + b.first + b.own_first + row) * b.n + k;
        enter(row * b.ring + int64_t{old % b.batch.window} * b.n + k,
              p.out[from], p.projected[from]);
      }
    }
    turn->projected = dprojection;
    auto* const to = b.OperandOf(b.own_first + row, k);
    Exchange::ToAll(to + dout_segment(), ToOperand<kPrecision>(turn->dout));
    Exchange::ToAll(to + dprojected_segment(),
                    ToOperand<kPrecision>(dprojection));
  }
  __device__ __forceinline__ void StoreTurn(int64_t begin, int item,
                                            const Turn& turn) const {
    const int k = item % b.padded;
    if (!b.Real(k)) return;
    const int64_t at =
        (begin + b.first + b.own_first + item / b.padded) * b.n + k;
    p.dout[at] = turn.dout;
    p.dprojected[at] = turn.projected;
  }

  // The event of the last step leaves the windows before the first product.
  __device__ __forceinline__ void EnterLastStep() {
    for (int item = threadIdx.x; item < b.OwnRows(now.alive) * b.padded;
         item += kAttentionThreads) {
      Turn turn = LoadTurn(t, now.begin, 0, item);
      Rotate(t, 0, item, &turn);
      StoreTurn(now.begin, item, turn);
    }
    Exchange::Arrive();
    Exchange::Wait();
  }

  // Inputs of a step's cells.
  struct CellInput {
    StoredGates gates;
    float c;
    float c_before;
  };

  // One step, all inputs of which are asked for before its first product.
  __device__ __forceinline__ void Step() {
    const int own_alive = b.OwnRows(now.alive);
    const int own_before = b.OwnRows(before.alive);
    const int64_t own = now.begin + b.first + b.own_first;
    const auto load_cell = [&](int i) {
      const Item item = b.UnitItem(i);
      CellInput input = {};
      if (b.Real(item.k)) {
        input.gates = b.LoadGates(p.gates, now, item);
        input.c = p.c[b.Place(now, item)];
        if (t > 0) input.c_before = p.c[b.Place(before, item)];
      }
      return input;
    };
    const auto cells = b.Ahead(now.alive * b.units, load_cell);
    const auto load_query = [&](int item) {
      const int k = item % b.padded;
      return b.Real(k) ? p.query[(own + item / b.padded) * b.n + k] : 0.0f;
    };
    const auto queries = b.Ahead(own_alive * b.padded, load_query);
    const auto load_weight = [&](int item) {
      return p.probabilities[own * b.batch.window + item];
    };
    const auto probabilities = b.Ahead(
        min(own_alive * b.batch.window, kCluster ? kAttentionThreads : 1 << 30),
        load_weight);
    const auto load_turn = [&](int item) {
      return LoadTurn(t - 1, before.begin, begin_old, item);
    };
    const auto turns = b.Ahead(own_before * b.padded, load_turn);

    Gradients(queries, probabilities);
    Attention(own, own_alive, own_before, turns);
    Cells(cells);
  }

  // The wide product: gradients of the context, to the blocks that have the
  // windows, and of h. Meanwhile q and the weights of the windows arrive.
  template <typename Queries, typename Probabilities>
  __device__ __forceinline__ void Gradients(
      const Queries& queries, const Probabilities& probabilities) {
    Product<kPrecision>(b.s.wide(), b.weights.wide, b.operands, 0, b.padded,
                        b.sums);
    queries.ForEach([&](int item, float q) { b.query[item] = q; });
    const int empty = max(b.batch.window - t, 0);
    probabilities.ForEach([&](int item, float probability) {
      // From the order of age to that of slots; the empty ones share a place.
      const int row = item / b.batch.window;
      const int place = item % b.batch.window;
      float* const to = weight + row * (b.batch.window + 1);
      if (place == 0 && empty > 0) to[b.batch.window] = probability;
      if (place >= empty) to[(t + place) % b.batch.window] = probability;
    });
    __syncthreads();
    const int items = now.alive * b.units;
    for (int i = threadIdx.x; i < 2 * items; i += kAttentionThreads) {
      const int segment = i >= items ? 1 : 0;
      const int row = i / b.units - segment * now.alive;
      const int unit = i % b.units;
      const int k = b.rank * b.units + unit;
      if (!b.Real(k)) continue;
      const float sum = SumOf(b.s.wide(), b.sums, segment, row, unit);
      if (segment == 0) {
        b.ToOwner(dattention, row, k, sum);
      } else {
        dh_carry[row * b.s.carry_stride() + unit] = sum;
      }
    }
    Exchange::Arrive();
    Exchange::Wait();
  }

  // The windows of the block's rows: dq to all blocks, gradients of the slots
  // and of v; then the event before this step leaves the windows.
  template <typename Turns>
  __device__ __forceinline__ void Attention(int64_t own, int own_alive,
                                            int own_before,
                                            const Turns& turns) {
    const WindowRows rows = b.Window(own_alive, t);
    const WindowGradients gradients = {
        .dattention = dattention,
        .dweight = weight + b.s.own_rows() * (b.batch.window + 1),
        .dscore = dscore};
    float made = 0;
    AttendBackward<kPrecision, kN, kAttentionThreads, kCluster>(
        rows, gradients, [&](int row) { return states + row * b.ring; },
        [&](int row) { return projected + row * b.ring; },
        [&](int row) { return dstates + row * b.ring; },
        [&](int row) { return dprojected + row * b.ring; },
        [&](int row, int k, float dq) {
          Exchange::ToAll(b.OperandOf(b.own_first + row, k) + dq_segment(),
                          ToOperand<kPrecision>(dq));
          made = dq;
          if (!kCluster) p.query[(own + row) * b.n + k] = dq;
        });
    Turn turned = {};
    turns.ForEach([&](int item, Turn turn) {
      Rotate(t - 1, own_alive, item, &turn);
      turned = turn;
      if (!kCluster) StoreTurn(before.begin, item, turn);
    });
    Exchange::Arrive();
    if constexpr (kCluster) {
      if (own_alive > 0 && static_cast<int>(threadIdx.x) < b.n) {
        p.query[own * b.n + threadIdx.x] = made;
      }
      if (static_cast<int>(threadIdx.x) < own_before * b.padded) {
        StoreTurn(before.begin, threadIdx.x, turned);
      }
    }
    Exchange::Wait();
  }

  // The narrow product: what comes through q, and the cells: dz to all blocks.
  template <typename Inputs>
  __device__ __forceinline__ void Cells(const Inputs& inputs) {
    Product<kPrecision>(b.s.narrow(), b.weights.narrow, b.operands,
                        dq_segment(), 0, b.sums);
    __syncthreads();
    Gates made = {};
    inputs.ForEach([&](int i, const CellInput& input) {
      const Item item = b.UnitItem(i);
      if (!b.Real(item.k)) return;
      made = StepCell(item, input);
      if (!kCluster) b.StoreGates(p.gates, now, item, made);
    });
    Exchange::Arrive();
    if (kCluster && static_cast<int>(threadIdx.x) < now.alive * b.units) {
      b.StoreGates(p.gates, now, b.UnitItem(threadIdx.x), made);
    }
    // No block leaves while another may still store to it.
    Exchange::Wait();
  }

  // dz of a cell.
  __device__ __forceinline__ Gates StepCell(const Item& item,
                                            const CellInput& input) const {
    const int carried = item.row * b.s.carry_stride() + item.unit;
    const auto sum = [&](int segment) {
      return SumOf(b.s.narrow(), b.sums, segment, item.row, item.unit);
    };
    const auto& gate = input.gates.gate;
    Gates made = {ToFloat(gate[0]), ToFloat(gate[1]), ToFloat(gate[2]),
                  ToFloat(gate[3])};
    float dc = dc_carry[carried] + sum(1);
    CellBackward(&made, input.c_before, input.c, dh_carry[carried] + sum(0),
                 &dc);
    dc_carry[carried] = dc;
    auto* const to = b.OperandOf(item.row, item.k);
    Exchange::ToAll(to, ToOperand<kPrecision>(made.i));
    Exchange::ToAll(to + b.padded, ToOperand<kPrecision>(made.j));
    Exchange::ToAll(to + 2 * b.padded, ToOperand<kPrecision>(made.f));
    Exchange::ToAll(to + 3 * b.padded, ToOperand<kPrecision>(made.o));
    return made;
  }

  // dv of the block's rows at the first step, the parts of their slots in
  // order.
  __device__ __forceinline__ void StoreScore() const {
    const int own_rows = b.OwnRows(now.alive);
    for (int item = threadIdx.x; item < own_rows * b.n;
         item += kAttentionThreads) {
      const int row = item / b.n;
      const int k = item % b.n;
      const float* const from = dscore + row * b.s.slot_groups() * b.padded + k;
      float sum = 0;
      for (int group = 0; group < b.s.slot_groups(); ++group) {
        sum += from[group * b.padded];
      }
      p.dv[(b.first + b.own_first + row) * int64_t{b.n} + k] = sum;
    }
  }
};

template <Precision kPrecision, int kN>
__global__ void __launch_bounds__(kAttentionThreads, 1) AttentionBackwardKernel(
    const __grid_constant__ AttentionBackwardParams<AttentionGate<kPrecision>>
        p) {
  extern __shared__ __align__(16) char shared[];
  AttentionBackwardBlock<kPrecision, kN>(p, shared).Run();
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_ATTENTION_BACKWARD_CUH_
