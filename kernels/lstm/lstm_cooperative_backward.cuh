// SPDX-License-Identifier: Apache-2.0

// The backward pass of the LSTM by a group of blocks: a step makes dz of the
// block's units, and with dz of all units their dh of the step before.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_BACKWARD_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_BACKWARD_CUH_

#include "kernels/lstm/lstm_cooperative.cuh"

namespace continuo::gpu {

template <typename Product, typename Exchange>
__device__ void GroupBackward(const GroupArgs<Operand<Product::kPrecision>>& p,
                              char* shared) {
  using GroupT = BlockGroup<Product, Exchange>;
  using Floats = typename GroupT::Floats;
  using X = typename GroupT::X;
  constexpr int kLaneUnits = GroupT::kLaneUnits;
  const GroupT group(p, shared);
  Exchange exchange(p.launch, p.arrivals);
  const WarpWeights<Product> weights(
      {p.weights, p.units, group.unit_begin, !Exchange::kThroughMemory},
      p.launch, reinterpret_cast<uint4*>(shared + p.launch.weights_offset));
  group.ClearOperands();

  struct Input {
    typename GroupT::GatePack gates[4];
    Floats dh, c_prev;
    Floats c;  // of a row's last step; else it was the next step's c_prev
  };
  // `later`: rows of the step after it, `before`: the step before it.
  const auto load = [&](int later, const GroupStep& step,
                        const GroupStep& before, int row) {
    Input input = {};
    if (row >= step.rows) return input;
    const auto* const from = p.gates + group.GateElement(step.event + row);
#pragma unroll
    for (int gate = 0; gate < 4; ++gate) {
      input.gates[gate] = LoadPack<kLaneUnits>(from + gate * p.units);
    }
    const int64_t element = group.Element(step.event + row);
    input.dh = LoadPack<kLaneUnits>(p.dh + element);
    if (row >= later) input.c = LoadPack<kLaneUnits>(p.c + element);
    if (row < before.rows) {
      input.c_prev =
          LoadPack<kLaneUnits>(p.c + group.Element(before.event + row));
    }
    return input;
  };

  int parity = 0;
  for (int slice = Exchange::Index(p.launch); slice < p.launch.slices;
       slice += p.launch.groups) {
    const int row_begin = slice * p.launch.slice_rows;
    const int steps = group.Steps(row_begin);
    if (steps == 0) break;
    exchange.Sync();
    int later = 0;
    GroupStep now = group.At(steps - 1, row_begin);
    GroupStep next = group.At(steps - 2, row_begin);
    GroupStep after = group.At(steps - 3, row_begin);
    Input input = load(later, now, next, group.warp);
    for (int t = steps - 1;; --t) {
      const GroupStep then = group.At(t - 3, row_begin);
      for (int chunk = 0; chunk < now.rows; chunk += kLstmCooperativeRows) {
        const bool last = chunk + kLstmCooperativeRows >= now.rows;
        const Input upcoming =
            last ? load(now.rows, next, after, group.warp)
                 : load(later, now, next,
                        chunk + kLstmCooperativeRows + group.warp);
        if (chunk < later) {
          parity ^= 1;
          weights.Multiply(group.Buffer(t) + chunk * p.launch.operand_stride,
                           p.launch.operand_stride, group.SumsOf(parity));
          __syncthreads();
        }
        const int row = chunk + group.warp;
        const bool mine = row < now.rows;
        Gates gates[kLaneUnits];
        if (mine) {
          float* const field = reinterpret_cast<float*>(gates);
#pragma unroll
          for (int gate = 0; gate < 4; ++gate) {
#pragma unroll
            for (int k = 0; k < kLaneUnits; ++k) {
              field[4 * k + gate] = ToFloat(input.gates[gate].at[k]);
            }
          }
          Floats c = input.c, dc = {}, dh = input.dh;
          if (row < later) {
            const Floats sum = group.Sum(parity, 0);
            c = LoadPack<kLaneUnits>(group.State(row, 0));
            dc = LoadPack<kLaneUnits>(group.State(row, 1));
#pragma unroll
            for (int k = 0; k < kLaneUnits; ++k) dh.at[k] += sum.at[k];
          }
          // dz of the lane's units, the gates of a unit side by side.
          Pack<X, 4 * kLaneUnits> operand;
#pragma unroll
          for (int k = 0; k < kLaneUnits; ++k) {
            CellBackward(&gates[k], input.c_prev.at[k], c.at[k], dh.at[k],
                         &dc.at[k]);
#pragma unroll
            for (int gate = 0; gate < 4; ++gate) {
              operand.at[4 * k + gate] =
                  ToOperand<GroupT::kPrecision>(field[4 * k + gate]);
            }
          }
          StorePack(input.c_prev, group.State(row, 0));
          StorePack(dc, group.State(row, 1));
          if (t > 0) {
            exchange.Send(operand,
                          group.Buffer(t - 1) + row * p.launch.operand_stride +
                              (group.unit_begin + group.unit) * 4 * sizeof(X));
          }
        }
        const bool arrive = last && t > 0;
        if (!Exchange::kThroughMemory && arrive) exchange.Arrive();
        if (mine) {
          auto* const to = p.gates + group.GateElement(now.event + row);
          const float* const field = reinterpret_cast<const float*>(gates);
#pragma unroll
          for (int gate = 0; gate < 4; ++gate) {
            typename GroupT::GatePack out;
#pragma unroll
            for (int k = 0; k < kLaneUnits; ++k) {
              out.at[k] = FromFloat<typename GroupT::Gate>(field[4 * k + gate]);
            }
            StorePack(out, to + gate * p.units);
          }
        }
        if (Exchange::kThroughMemory && arrive) exchange.Arrive();
        input = upcoming;
      }
      if (t == 0) break;
      exchange.Wait();
      if constexpr (Exchange::kThroughMemory) {
        group.Gather(p.gates + int64_t{now.event} * 4 * p.units, now.rows,
                     4 * p.units, group.Buffer(t - 1));
        __syncthreads();
      }
      later = now.rows;
      now = next;
      next = after;
      after = then;
    }
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_BACKWARD_CUH_
