// SPDX-License-Identifier: Apache-2.0

// The block-persistent LSTM, forward: an even number of units up to 128. A
// block owns 8 rows (or 4, in exact fp32) for all their steps; the recurrent
// weights are read once and stay on chip; blocks never synchronize.
//
// A step of a block: the product of the rows' h (shared memory) with the
// weights, the cells of the sums, the new h into shared memory for all warps,
// one barrier. c stays in registers. Global memory is touched once a row and
// step: the input part arrives a step or two ahead by asynchronous copies, the
// activated gates take its place, c and h are written.
//
// Bound by latency at the batches of training: a step is a chain of product,
// cells and barrier. By count, 128 units in bf16: 256 mma.sync of 4,096 FLOPs,
// 64 for each tensor core, and 430 instructions a warp in all (1,024 cells of
// about 60), some 1,000 cycles; the bytes (25 KB a step and block) take 400 at
// the 64 a cycle that a multiprocessor can move, and bound the kernel once all
// multiprocessors have a block. In exact fp32 the 262,144 multiply-adds of 4
// rows take 2,048 cycles, 1,900 of which shared memory is busy too.

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
  const float* recurrent;
  const float* initial_c;  // or null
  const float* initial_h;  // or null
  T* gates;
  float* c;
  float* h;
};

template <typename Layout>
__global__ void __launch_bounds__(Layout::kThreads, 1)
    LstmBlockForwardKernel(Params<GateOf<Layout::kNarrow>> params) {
  using T = GateOf<Layout::kNarrow>;
  using Operand = BlockOperand<Layout>;
  constexpr int kStages = Layout::kStages;
  constexpr int kThreadRows = Layout::kThreadRows;
  extern __shared__ __align__(16) char shared[];
  const BlockThread<Layout> thread(params.units, shared);
  const int n = thread.n;
  const int row0 = thread.row0;
  const int unit = thread.unit;
  if (params.steps == 0 || params.batch_sizes[0] <= thread.first_row) return;

  // Starts the copies of a step's input part; a group even where there are
  // none, so that groups count steps.
  const auto fetch = [&](int t, const BlockStep& step) {
    char* const stage = thread.Inputs(t);
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r) {
      if (!thread.Owns(r, step)) continue;
      const T* const from =
          params.gates + int64_t{step.begin + row0 + r} * 4 * n + unit;
#pragma unroll
      for (int gate = 0; gate < 4; ++gate) {
        CopyAsync<2 * sizeof(T)>(
            PairSlot<T, Layout::kThreads>(stage, 4 * r + gate),
            from + gate * n);
      }
    }
    CommitCopies();
  };
  // This step and those after it that are in flight or next.
  BlockStep steps[kStages + 1];
#pragma unroll
  for (int i = 0; i <= kStages; ++i) steps[i] = thread.Read(params, i);
#pragma unroll
  for (int i = 0; i < kStages; ++i) fetch(i, steps[i]);

  BlockProduct<Layout> product;
  thread.Prepare(params.recurrent, &product);

  float c[kThreadRows][2] = {};  // [row][unit]
#pragma unroll
  for (int r = 0; r < kThreadRows; ++r) {
    if (!thread.Owns(r, steps[0])) continue;
    const int64_t at = int64_t{thread.first_row + row0 + r} * n + unit;
    if (params.initial_c != nullptr) {
      const float2 pair = LoadPair(params.initial_c + at);
      c[r][0] = pair.x;
      c[r][1] = pair.y;
    }
    if (params.initial_h != nullptr) {
      const float2 pair = LoadPair(params.initial_h + at);
      Operand::Store(thread.Operands(0), row0 + r, unit, pair.x, pair.y);
    }
  }
  if (params.initial_h != nullptr) __syncthreads();

#pragma unroll 1
  for (int t = 0; steps[0].rows > 0; ++t) {
    const BlockStep step = steps[0];
    float sums[4][2 * kThreadRows] = {};
    if (t > 0 || params.initial_h != nullptr) {
      product.Multiply(thread.Operands(t), sums);
    }
    WaitForCopies<kStages - 1>();
    char* const stage = thread.Inputs(t);
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r) {
      if (!thread.Owns(r, step)) continue;
#pragma unroll
      for (int gate = 0; gate < 4; ++gate) {
        const float2 pair =
            LoadPair(PairSlot<T, Layout::kThreads>(stage, 4 * r + gate));
        sums[gate][r] += pair.x;
        sums[gate][kThreadRows + r] += pair.y;
      }
    }
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r) {
      if (!thread.Owns(r, step)) continue;
      Gates cell[2];
      float h[2];
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        const int at = k * kThreadRows + r;
        cell[k] = {sums[0][at], sums[1][at], sums[2][at], sums[3][at]};
        h[k] = CellForward(&cell[k], &c[r][k]);
      }
      Operand::Store(thread.Operands(t + 1), row0 + r, unit, h[0], h[1]);
      const int64_t event = step.begin + row0 + r;
      thread.StoreGates(params.gates, event, cell[0], cell[1]);
      StorePair(params.c + event * n + unit, c[r][0], c[r][1]);
      StorePair(params.h + event * n + unit, h[0], h[1]);
    }
    __syncthreads();
    // Off the path from one product to the next, and when few registers are in
    // use.
    fetch(t + kStages, steps[kStages]);
#pragma unroll
    for (int i = 0; i < kStages; ++i) steps[i] = steps[i + 1];
    steps[kStages] = thread.Read(params, t + kStages + 1);
  }
}

}  // namespace

absl::Status LstmBlockForward(const Stream& stream,
                              const LstmForwardArgs& args) {
  return WithLstmBlockLayout</*kBackward=*/false>(
      stream,
      {.rows = args.ragged.rows,
       .steps = args.ragged.steps(),
       .units = args.c.shape[1]},
      [&]<typename Layout>(const LstmBlockLaunch& launch) {
        using T = GateOf<Layout::kNarrow>;
        return LaunchLstmBlock<Layout>(
            stream, launch, LstmBlockForwardKernel<Layout>,
            Params<T>{.batch_sizes = args.ragged.batch_sizes.data<int32_t>(),
                      .step_begin = args.ragged.step_begin.data<int32_t>(),
                      .steps = static_cast<int>(args.ragged.steps()),
                      .units = static_cast<int>(args.c.shape[1]),
                      .recurrent = args.recurrent.data<float>(),
                      .initial_c = args.initial_c.data<float>(),
                      .initial_h = args.initial_h.data<float>(),
                      .gates = Data<T>(args.gates),
                      .c = args.c.data<float>(),
                      .h = args.h.data<float>()});
      });
}

}  // namespace continuo::gpu
