// SPDX-License-Identifier: Apache-2.0

// The block-persistent LSTM, backward: the mirror of lstm_block_forward_gpu.cu.
//
// A step of a block: the product of the dz of the step after (shared memory)
// with the transposed recurrent weights, which adds to dh; the cells; dz into
// shared memory for all warps, one barrier. dc and c stay in registers: the c
// before a step is read once and is the c of the next. Rows come in as their
// last step is reached. Global memory is touched once a row and step: gates, dh
// and the c before arrive ahead of time, dz takes the gates' place.
//
// Bound as the forward pass: the same products, 570 instructions a warp and 25
// KB a step and block in bf16 with 128 units. In exact fp32 shared memory is
// busy for the 2,048 cycles of the multiply-adds of 4 rows.

#include "kernels/common/row_steps.cuh"
#include "kernels/lstm/lstm_block_cell.cuh"
#include "kernels/lstm/lstm_block_launch.cuh"
#include "kernels/lstm/lstm_gpu_forms.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

template <typename T>
struct Params {
  const int32_t* batch_sizes;
  const int32_t* step_begin;
  int steps;
  int units;
  const float* recurrent_t;
  const float* c;
  const float* dh;
  T* gates;
};

template <typename Layout>
__global__ void __launch_bounds__(Layout::kThreads, 1)
    LstmBlockBackwardKernel(Params<GateOf<Layout::kNarrow>> params) {
  using T = GateOf<Layout::kNarrow>;
  using Operand = BlockOperand<Layout>;
  constexpr int kStages = Layout::kStages;
  constexpr int kThreads = Layout::kThreads;
  constexpr int kThreadRows = Layout::kThreadRows;
  constexpr int kUnits = Layout::kUnits;
  extern __shared__ __align__(16) char shared[];
  const BlockThread<Layout> thread(params.units, shared);
  const int n = thread.n;
  const int row0 = thread.row0;
  const int unit = thread.unit;
  const int last =
      RowSteps(params.batch_sizes, params.steps, thread.first_row) - 1;
  if (last < 0) return;

  // Starts the copies of a step's inputs; a group even where there are none.
  const auto fetch = [&](int t, const BlockStep& step,
                         const BlockStep& before) {
    if (t >= 0) {
      char* const stage = thread.Inputs(t);
#pragma unroll
      for (int r = 0; r < kThreadRows; ++r) {
        if (!thread.Owns(r, step)) continue;
        const int64_t event = step.begin + row0 + r;
        const T* const from = params.gates + event * 4 * n + unit;
#pragma unroll
        for (int gate = 0; gate < 4; ++gate) {
          CopyAsync<2 * sizeof(T)>(PairSlot<T, kThreads>(stage, 4 * r + gate),
                                   from + gate * n);
        }
        char* const state = stage + Layout::kGateBytes;
        CopyAsync<8>(PairSlot<float, kThreads>(state, r),
                     params.dh + event * n + unit);
        if (t > 0) {
          CopyAsync<8>(PairSlot<float, kThreads>(state, kThreadRows + r),
                       params.c + int64_t{before.begin + row0 + r} * n + unit);
        }
      }
    }
    CommitCopies();
  };
  // This step and those before it that are in flight or next.
  BlockStep steps[kStages + 1];
#pragma unroll
  for (int i = 0; i <= kStages; ++i) steps[i] = thread.Read(params, last - i);
#pragma unroll
  for (int i = 0; i < kStages; ++i) fetch(last - i, steps[i], steps[i + 1]);

  BlockProduct<Layout> product;
  thread.Prepare(params.recurrent_t, &product);

  int rows_after = 0;
  float c[kThreadRows][2] = {}, dc[kThreadRows][2] = {};  // [row][unit]
#pragma unroll 1
  for (int t = last; t >= 0; --t) {
    const BlockStep step = steps[0];
    float sums[1][2 * kThreadRows] = {};
    if (t < last) {
      product.Multiply(thread.Operands(t + 1), sums);
    }
    WaitForCopies<kStages - 1>();
    char* const stage = thread.Inputs(t);
    Gates cell[kThreadRows][2];
    float dh[kThreadRows][2], c_prev[kThreadRows][2] = {};
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r) {
      if (!thread.Owns(r, step)) continue;
      const auto gate = [&](int which) {
        return LoadPair(PairSlot<T, kThreads>(stage, 4 * r + which));
      };
      const float2 i = gate(0), j = gate(1), f = gate(2), o = gate(3);
      cell[r][0] = {i.x, j.x, f.x, o.x};
      cell[r][1] = {i.y, j.y, f.y, o.y};
      char* const state = stage + Layout::kGateBytes;
      const float2 above = LoadPair(PairSlot<float, kThreads>(state, r));
      dh[r][0] = above.x + sums[0][r];
      dh[r][1] = above.y + sums[0][kThreadRows + r];
      if (t > 0) {
        const float2 before =
            LoadPair(PairSlot<float, kThreads>(state, kThreadRows + r));
        c_prev[r][0] = before.x;
        c_prev[r][1] = before.y;
      }
    }
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r) {
      if (!thread.Owns(r, step)) continue;
      const int64_t event = step.begin + row0 + r;
      if (row0 + r >= rows_after) {  // the row's last step
        const float2 pair = LoadPair(params.c + event * n + unit);
        c[r][0] = pair.x;
        c[r][1] = pair.y;
      }
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        CellBackward(&cell[r][k], c_prev[r][k], c[r][k], dh[r][k], &dc[r][k]);
        c[r][k] = c_prev[r][k];
      }
      const Gates a = cell[r][0], b = cell[r][1];
      Operand::Store(thread.Operands(t), row0 + r, unit, a.i, b.i);
      Operand::Store(thread.Operands(t), row0 + r, kUnits + unit, a.j, b.j);
      Operand::Store(thread.Operands(t), row0 + r, 2 * kUnits + unit, a.f, b.f);
      Operand::Store(thread.Operands(t), row0 + r, 3 * kUnits + unit, a.o, b.o);
      thread.StoreGates(params.gates, event, a, b);
    }
    rows_after = step.rows;
    __syncthreads();
    // Off the path from one product to the next, and when few registers are in
    // use.
    const BlockStep further = thread.Read(params, t - kStages - 1);
    fetch(t - kStages, steps[kStages], further);
#pragma unroll
    for (int i = 0; i < kStages; ++i) steps[i] = steps[i + 1];
    steps[kStages] = further;
  }
}

}  // namespace

absl::Status LstmBlockBackward(const Stream& stream,
                               const LstmBackwardArgs& args) {
  return WithLstmBlockLayout</*kBackward=*/true>(
      stream,
      {.rows = args.ragged.rows,
       .steps = args.ragged.steps(),
       .units = args.c.shape[1]},
      [&]<typename Layout>(const LstmBlockLaunch& launch) {
        using T = GateOf<Layout::kNarrow>;
        return LaunchLstmBlock<Layout>(
            stream, launch, LstmBlockBackwardKernel<Layout>,
            Params<T>{.batch_sizes = args.ragged.batch_sizes.data<int32_t>(),
                      .step_begin = args.ragged.step_begin.data<int32_t>(),
                      .steps = static_cast<int>(args.ragged.steps()),
                      .units = static_cast<int>(args.c.shape[1]),
                      .recurrent_t = args.recurrent_t.data<float>(),
                      .c = args.c.data<float>(),
                      .dh = args.dh.data<float>(),
                      .gates = Data<T>(args.gates)});
      });
}

}  // namespace continuo::gpu
