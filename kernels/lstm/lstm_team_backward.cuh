// The backward pass of the LSTM by a team of blocks: a step makes dz of the
// block's units, and with dz of all units their dh of the step before.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_TEAM_BACKWARD_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_TEAM_BACKWARD_CUH_

#include "kernels/lstm/lstm_team.cuh"

namespace continuo::gpu {

template <typename Product, typename Exchange>
__device__ void TeamBackward(const TeamArgs<Operand<Product::kPrecision>>& p,
                             char* shared) {
  using TeamT = Team<Product, Exchange>;
  using Floats = typename TeamT::Floats;
  using X = typename TeamT::X;
  constexpr int kLaneUnits = TeamT::kLaneUnits;
  const TeamT team(p, shared);
  Exchange exchange(p.launch, p.arrivals);
  const WarpWeights<Product> weights(
      {p.weights, p.units, team.unit_begin, !Exchange::kThroughMemory},
      p.launch, reinterpret_cast<uint4*>(shared + p.launch.weights_offset));
  team.ClearOperands();

  struct Input {
    typename TeamT::GatePack gates[4];
    Floats dh, c_prev;
    Floats c;  // of a row's last step; else it was the next step's c_prev
  };
  // `later`: rows of the step after it, `before`: the step before it.
  const auto load = [&](int later, const TeamStep& step, const TeamStep& before,
                        int row) {
    Input input = {};
    if (row >= step.rows) return input;
    const auto* const from = p.gates + team.GateElement(step.event + row);
#pragma unroll
    for (int gate = 0; gate < 4; ++gate) {
      input.gates[gate] = LoadPack<kLaneUnits>(from + gate * p.units);
    }
    const int64_t element = team.Element(step.event + row);
    input.dh = LoadPack<kLaneUnits>(p.dh + element);
    if (row >= later) input.c = LoadPack<kLaneUnits>(p.c + element);
    if (row < before.rows) {
      input.c_prev =
          LoadPack<kLaneUnits>(p.c + team.Element(before.event + row));
    }
    return input;
  };

  int parity = 0;
  for (int slice = Exchange::Index(p.launch); slice < p.launch.slices;
       slice += p.launch.teams) {
    const int row_begin = slice * p.launch.slice_rows;
    const int steps = team.Steps(row_begin);
    if (steps == 0) break;
    exchange.Meet();
    int later = 0;
    TeamStep now = team.At(steps - 1, row_begin);
    TeamStep next = team.At(steps - 2, row_begin);
    TeamStep after = team.At(steps - 3, row_begin);
    Input input = load(later, now, next, team.warp);
    for (int t = steps - 1;; --t) {
      const TeamStep then = team.At(t - 3, row_begin);
      for (int chunk = 0; chunk < now.rows; chunk += kLstmTeamRows) {
        const bool last = chunk + kLstmTeamRows >= now.rows;
        const Input upcoming =
            last ? load(now.rows, next, after, team.warp)
                 : load(later, now, next, chunk + kLstmTeamRows + team.warp);
        if (chunk < later) {
          parity ^= 1;
          weights.Multiply(team.Buffer(t) + chunk * p.launch.operand_stride,
                           p.launch.operand_stride, team.SumsOf(parity));
          __syncthreads();
        }
        const int row = chunk + team.warp;
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
            const Floats sum = team.Sum(parity, 0);
            c = LoadPack<kLaneUnits>(team.State(row, 0));
            dc = LoadPack<kLaneUnits>(team.State(row, 1));
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
                  ToOperand<TeamT::kPrecision>(field[4 * k + gate]);
            }
          }
          StorePack(input.c_prev, team.State(row, 0));
          StorePack(dc, team.State(row, 1));
          if (t > 0) {
            exchange.Send(operand,
                          team.Buffer(t - 1) + row * p.launch.operand_stride +
                              (team.unit_begin + team.unit) * 4 * sizeof(X));
          }
        }
        const bool arrive = last && t > 0;
        if (!Exchange::kThroughMemory && arrive) exchange.Arrive();
        if (mine) {
          auto* const to = p.gates + team.GateElement(now.event + row);
          const float* const field = reinterpret_cast<const float*>(gates);
#pragma unroll
          for (int gate = 0; gate < 4; ++gate) {
            typename TeamT::GatePack out;
#pragma unroll
            for (int k = 0; k < kLaneUnits; ++k) {
              out.at[k] = FromFloat<typename TeamT::Gate>(field[4 * k + gate]);
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
        team.Gather(p.gates + int64_t{now.event} * 4 * p.units, now.rows,
                    4 * p.units, team.Buffer(t - 1));
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

#endif  // CONTINUO_KERNELS_LSTM_LSTM_TEAM_BACKWARD_CUH_
