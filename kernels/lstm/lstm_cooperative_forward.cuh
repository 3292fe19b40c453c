// SPDX-License-Identifier: Apache-2.0

// The forward pass of the LSTM by a group of blocks.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_FORWARD_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_FORWARD_CUH_

#include "kernels/lstm/lstm_cooperative.cuh"

namespace continuo::gpu {

template <typename Product, typename Exchange>
__device__ void GroupForward(const GroupArgs<Operand<Product::kPrecision>>& p,
                             char* shared) {
  using GroupT = BlockGroup<Product, Exchange>;
  using Floats = typename GroupT::Floats;
  constexpr int kLaneUnits = GroupT::kLaneUnits;
  const GroupT group(p, shared);
  Exchange exchange(p.launch, p.arrivals);
  const WarpWeights<Product> weights(
      {p.weights, p.units, group.unit_begin, false}, p.launch,
      reinterpret_cast<uint4*>(shared + p.launch.weights_offset));
  group.ClearOperands();

  struct Input {
    typename GroupT::GatePack z[4];
  };
  const auto load = [&](const GroupStep& step, int row) {
    Input input = {};
    if (row >= step.rows) return input;
    const auto* const from = p.gates + group.GateElement(step.event + row);
#pragma unroll
    for (int gate = 0; gate < 4; ++gate) {
      input.z[gate] = LoadPack<kLaneUnits>(from + gate * p.units);
    }
    return input;
  };

  int parity = 0;
  for (int slice = Exchange::Index(p.launch); slice < p.launch.slices;
       slice += p.launch.groups) {
    const int row_begin = slice * p.launch.slice_rows;
    GroupStep now = group.At(0, row_begin);
    GroupStep next = group.At(1, row_begin);
    if (now.rows == 0) break;
    for (int row = group.warp; row < now.rows; row += kLstmCooperativeRows) {
      Floats c = {};
      if (p.initial_c != nullptr) {
        c = LoadPack<kLaneUnits>(p.initial_c + group.Element(row_begin + row));
      }
      StorePack(c, group.State(row, 0));
    }
    // The buffers are done with by the slice before, and cleared.
    exchange.Sync();
    bool product = p.initial_h != nullptr;
    if (product) {
      group.Gather(p.initial_h + int64_t{row_begin} * p.units, now.rows,
                   p.units, group.Buffer(0));
      __syncthreads();
    }
    Input input = load(now, group.warp);
    for (int t = 0;; ++t) {
      const GroupStep after = group.At(t + 2, row_begin);
      for (int chunk = 0; chunk < now.rows; chunk += kLstmCooperativeRows) {
        const bool last = chunk + kLstmCooperativeRows >= now.rows;
        const Input upcoming =
            last ? load(next, group.warp)
                 : load(now, chunk + kLstmCooperativeRows + group.warp);
        if (product) {
          parity ^= 1;
          weights.Multiply(group.Buffer(t) + chunk * p.launch.operand_stride,
                           p.launch.operand_stride, group.SumsOf(parity));
          __syncthreads();
        }
        const int row = chunk + group.warp;
        const bool mine = row < now.rows;
        Gates gates[kLaneUnits];
        Floats c, h;
        if (mine) {
          float* const field = reinterpret_cast<float*>(gates);
#pragma unroll
          for (int gate = 0; gate < 4; ++gate) {
            Floats sum = {};
            if (product) sum = group.Sum(parity, gate * GroupT::kUnits);
#pragma unroll
            for (int k = 0; k < kLaneUnits; ++k) {
              field[4 * k + gate] = ToFloat(input.z[gate].at[k]) + sum.at[k];
            }
          }
          c = LoadPack<kLaneUnits>(group.State(row, 0));
          Pack<typename GroupT::X, kLaneUnits> operand;
#pragma unroll
          for (int k = 0; k < kLaneUnits; ++k) {
            h.at[k] = CellForward(&gates[k], &c.at[k]);
            operand.at[k] = ToOperand<GroupT::kPrecision>(h.at[k]);
          }
          StorePack(c, group.State(row, 0));
          if (row < next.rows) {
            exchange.Send(operand, group.Buffer(t + 1) +
                                       row * p.launch.operand_stride +
                                       (group.unit_begin + group.unit) *
                                           sizeof(typename GroupT::X));
          }
        }
        // As soon as the others have h: no block waits for the rest.
        const bool arrive = last && next.rows > 0;
        const int64_t event = now.event + row;
        if (!Exchange::kThroughMemory && arrive) exchange.Arrive();
        if (mine) StorePack(h, p.h + group.Element(event));
        if (Exchange::kThroughMemory && arrive) exchange.Arrive();
        if (mine) {
          StorePack(c, p.c + group.Element(event));
          auto* const to = p.gates + group.GateElement(event);
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
        input = upcoming;
      }
      if (next.rows == 0) break;
      exchange.Wait();
      if constexpr (Exchange::kThroughMemory) {
        group.Gather(p.h + int64_t{now.event} * p.units, next.rows, p.units,
                     group.Buffer(t + 1));
        __syncthreads();
      }
      product = true;
      now = next;
      next = after;
    }
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_FORWARD_CUH_
