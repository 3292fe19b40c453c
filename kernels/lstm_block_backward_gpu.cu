// The block-persistent LSTM, backward: the mirror of lstm_block_forward_gpu.cu.
//
// A step of a block: the product of the dz of the step after (shared memory)
// with the transposed recurrent weights, which adds to dh; the cells; dz into
// shared memory for all warps, one barrier. dc and c stay in registers: the c
// before a step is read once and is the c of the next. Rows come in as their
// last step is reached. Global memory is touched once a row and step: gates, dh
// and the c before arrive ahead of time, dz takes the gates' place.
//
// Bound as the forward pass: the same products, cells of about 40 instructions,
// 16 KB (bf16, 128 units) a step and block.

#include "kernels/lstm_block_cell.cuh"
#include "kernels/lstm_persistent.h"
#include "runtime/log.h"

namespace continuo::gpu {
namespace {

template <typename T>
struct Params {
  const int32_t* alive;
  const int32_t* step_begin;
  int steps;
  int units;
  const float* recurrent_t;
  const float* c;
  const float* dh;
  T* gates;
};

// Steps of the block's longest row: alive descends.
__device__ int CountSteps(const int32_t* alive, int steps, int first_row) {
  int begin = 0, end = steps;
  while (begin < end) {
    const int middle = (begin + end) / 2;
    if (alive[middle] > first_row) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

template <Precision kPrecision, int kUnits>
__global__ void __launch_bounds__(2 * kUnits, 1)
    LstmBlockBackwardKernel(Params<GateOf<kPrecision>> params) {
  using T = GateOf<kPrecision>;
  using Layout = LstmBlockLayout<kPrecision, kUnits, true>;
  using Operand = BlockOperand<kPrecision, Layout::kDepth>;
  constexpr int kStages = Layout::kStages;
  constexpr int kThreads = Layout::kThreads;
  // Of a stage: gate pairs, then pairs of dh and of the c before.
  constexpr int kStateOffset = kThreads * 8 * Layout::kGatePairBytes;
  extern __shared__ __align__(16) char shared[];
  char* const operands = shared + Layout::kWeightBytes;
  char* const inputs = operands + 2 * Layout::kOperandBytes;

  const int n = params.units;
  const int first_row = static_cast<int>(blockIdx.x) * kLstmBlockRows;
  const int row0 = threadIdx.x % 4 * 2;  // and the one after
  const int unit = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 * 2;
  const bool real = unit < n;
  const int last = CountSteps(params.alive, params.steps, first_row) - 1;
  if (last < 0) return;

  const auto read = [&](int t) {
    return ReadStep(params.alive, params.step_begin, params.steps, t,
                    first_row);
  };
  // Starts the copies of a step's inputs; a group even where there are none.
  const auto fetch = [&](int t, const BlockStep& step,
                         const BlockStep& before) {
    if (t >= 0) {
      char* const stage = inputs + t % kStages * Layout::kInputBytes;
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        if (!real || row0 + r >= step.rows) continue;
        const int64_t event = step.begin + row0 + r;
        const T* const from = params.gates + event * 4 * n + unit;
#pragma unroll
        for (int gate = 0; gate < 4; ++gate) {
          CopyAsync<2 * sizeof(T)>(PairSlot<T, kThreads>(stage, 4 * r + gate),
                                   from + gate * n);
        }
        char* const state = stage + kStateOffset;
        CopyAsync<8>(PairSlot<float, kThreads>(state, r),
                     params.dh + event * n + unit);
        if (t > 0) {
          CopyAsync<8>(PairSlot<float, kThreads>(state, 2 + r),
                       params.c + int64_t{before.begin + row0 + r} * n + unit);
        }
      }
    }
    CommitCopies();
  };
  // This step and those before it that are under way or next to be.
  BlockStep steps[kStages + 1];
#pragma unroll
  for (int i = 0; i <= kStages; ++i) steps[i] = read(last - i);
#pragma unroll
  for (int i = 0; i < kStages; ++i) fetch(last - i, steps[i], steps[i + 1]);

  BlockProduct<kPrecision, kUnits, true> product;
  product.Load(params.recurrent_t, n, shared);
  for (int i = threadIdx.x; i < 2 * Layout::kOperandBytes / 16; i += kThreads) {
    reinterpret_cast<uint4*>(operands)[i] = make_uint4(0, 0, 0, 0);
  }
  __syncthreads();

  int rows_after = 0;
  float c[2][2] = {}, dc[2][2] = {};  // [row][unit]
  for (int t = last; t >= 0; --t) {
    const BlockStep step = steps[0];
    float sums[1][4] = {};
    if (t < last) {
      product.Multiply(operands + (t + 1) % 2 * Layout::kOperandBytes, sums);
    }
    WaitForCopies<kStages - 1>();
    char* const stage = inputs + t % kStages * Layout::kInputBytes;
    Gates cell[2][2];
    float dh[2][2], c_prev[2][2] = {};
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      if (!real || row0 + r >= step.rows) continue;
      const auto gate = [&](int which) {
        return LoadPair(PairSlot<T, kThreads>(stage, 4 * r + which));
      };
      const float2 i = gate(0), j = gate(1), f = gate(2), o = gate(3);
      cell[r][0] = {i.x, j.x, f.x, o.x};
      cell[r][1] = {i.y, j.y, f.y, o.y};
      char* const state = stage + kStateOffset;
      const float2 above = LoadPair(PairSlot<float, kThreads>(state, r));
      dh[r][0] = above.x + sums[0][r];
      dh[r][1] = above.y + sums[0][2 + r];
      if (t > 0) {
        const float2 before = LoadPair(PairSlot<float, kThreads>(state, 2 + r));
        c_prev[r][0] = before.x;
        c_prev[r][1] = before.y;
      }
    }
    const BlockStep further = read(t - kStages - 1);
    fetch(t - kStages, steps[kStages], further);
#pragma unroll
    for (int i = 0; i < kStages; ++i) steps[i] = steps[i + 1];
    steps[kStages] = further;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      if (!real || row0 + r >= step.rows) continue;
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
      char* const operand = operands + t % 2 * Layout::kOperandBytes;
      Operand::Store(operand, row0 + r, unit, a.i, b.i);
      Operand::Store(operand, row0 + r, kUnits + unit, a.j, b.j);
      Operand::Store(operand, row0 + r, 2 * kUnits + unit, a.f, b.f);
      Operand::Store(operand, row0 + r, 3 * kUnits + unit, a.o, b.o);
      T* const dz = params.gates + event * 4 * n + unit;
      StorePair(dz, a.i, b.i);
      StorePair(dz + n, a.j, b.j);
      StorePair(dz + 2 * n, a.f, b.f);
      StorePair(dz + 3 * n, a.o, b.o);
    }
    rows_after = step.rows;
    __syncthreads();
  }
}

template <Precision kPrecision, int kUnits>
absl::Status Launch(const Stream& stream, const LstmBackwardArgs& args,
                    const LstmBlockLaunch& launch) {
  using T = GateOf<kPrecision>;
  using Layout = LstmBlockLayout<kPrecision, kUnits, true>;
  const auto kernel = LstmBlockBackwardKernel<kPrecision, kUnits>;
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           Layout::kSharedBytes));
  kernel<<<static_cast<unsigned>(launch.blocks), Layout::kThreads,
           Layout::kSharedBytes, stream.cuda->stream()>>>(
      Params<T>{.alive = args.schedule.alive.data<int32_t>(),
                .step_begin = args.schedule.step_begin.data<int32_t>(),
                .steps = static_cast<int>(args.schedule.steps()),
                .units = static_cast<int>(args.c.shape[1]),
                .recurrent_t = args.recurrent_t.data<float>(),
                .c = args.c.data<float>(),
                .dh = args.dh.data<float>(),
                .gates = Data<T>(args.gates)});
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

template <Precision kPrecision>
absl::Status ForUnits(const Stream& stream, const LstmBackwardArgs& args) {
  const LstmBlockLaunch launch =
      MakeLstmBlockLaunch({.rows = args.schedule.rows,
                           .steps = args.schedule.steps(),
                           .units = args.c.shape[1]},
                          kPrecision);
  switch (launch.units) {
    case 32:
      return Launch<kPrecision, 32>(stream, args, launch);
    case 64:
      return Launch<kPrecision, 64>(stream, args, launch);
    default:
      return Launch<kPrecision, 128>(stream, args, launch);
  }
}

}  // namespace

absl::Status LstmBlockBackward(const Stream& stream,
                               const LstmBackwardArgs& args) {
  switch (stream.options.precision) {
    case Precision::kFp32:
      return ForUnits<Precision::kFp32>(stream, args);
    case Precision::kTf32:
      return ForUnits<Precision::kTf32>(stream, args);
    case Precision::kBf16:
      return ForUnits<Precision::kBf16>(stream, args);
  }
  return absl::InternalError("no such precision");
}

}  // namespace continuo::gpu
