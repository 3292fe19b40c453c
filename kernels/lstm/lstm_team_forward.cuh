// The forward pass of the LSTM by a team of blocks.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_TEAM_FORWARD_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_TEAM_FORWARD_CUH_

#include "kernels/lstm/lstm_team.cuh"

namespace continuo::gpu {

template <typename Product, typename Exchange>
__device__ void TeamForward(const TeamArgs<Operand<Product::kPrecision>>& p,
                            char* shared) {
  using TeamT = Team<Product, Exchange>;
  using Floats = typename TeamT::Floats;
  constexpr int kLaneUnits = TeamT::kLaneUnits;
  const TeamT team(p, shared);
  Exchange exchange(p.launch, p.arrivals);
  const WarpWeights<Product> weights(
      {p.weights, p.units, team.unit_begin, false}, p.launch,
      reinterpret_cast<uint4*>(shared + p.launch.weights_offset));
  team.ClearOperands();

  struct Input {
    typename TeamT::GatePack z[4];
  };
  const auto load = [&](const TeamStep& step, int row) {
    Input input = {};
    if (row >= step.rows) return input;
    const auto* const from = p.gates + team.GateElement(step.event + row);
#pragma unroll
    for (int gate = 0; gate < 4; ++gate) {
      input.z[gate] = LoadPack<kLaneUnits>(from + gate * p.units);
    }
    return input;
  };

  int parity = 0;
  for (int slice = Exchange::Index(p.launch); slice < p.launch.slices;
       slice += p.launch.teams) {
    const int row_begin = slice * p.launch.slice_rows;
    TeamStep now = team.At(0, row_begin);
    TeamStep next = team.At(1, row_begin);
    if (now.rows == 0) break;
    for (int row = team.warp; row < now.rows; row += kLstmTeamRows) {
      Floats c = {};
      if (p.initial_c != nullptr) {
        c = LoadPack<kLaneUnits>(p.initial_c + team.Element(row_begin + row));
      }
      StorePack(c, team.State(row, 0));
    }
    // The buffers are done with by the slice before, and cleared.
    exchange.Meet();
    bool product = p.initial_h != nullptr;
    if (product) {
      team.Gather(p.initial_h + int64_t{row_begin} * p.units, now.rows, p.units,
                  team.Buffer(0));
      __syncthreads();
    }
    Input input = load(now, team.warp);
    for (int t = 0;; ++t) {
      const TeamStep after = team.At(t + 2, row_begin);
      for (int chunk = 0; chunk < now.rows; chunk += kLstmTeamRows) {
        const bool last = chunk + kLstmTeamRows >= now.rows;
        const Input upcoming =
            last ? load(next, team.warp)
                 : load(now, chunk + kLstmTeamRows + team.warp);
        if (product) {
          parity ^= 1;
          weights.Multiply(team.Buffer(t) + chunk * p.launch.operand_stride,
                           p.launch.operand_stride, team.SumsOf(parity));
          __syncthreads();
        }
        const int row = chunk + team.warp;
        const bool mine = row < now.rows;
        Gates gates[kLaneUnits];
        Floats c, h;
        if (mine) {
          float* const field = reinterpret_cast<float*>(gates);
#pragma unroll
          for (int gate = 0; gate < 4; ++gate) {
            Floats sum = {};
            if (product) sum = team.Sum(parity, gate * TeamT::kUnits);
#pragma unroll
            for (int k = 0; k < kLaneUnits; ++k) {
              field[4 * k + gate] = ToFloat(input.z[gate].at[k]) + sum.at[k];
            }
          }
          c = LoadPack<kLaneUnits>(team.State(row, 0));
          Pack<typename TeamT::X, kLaneUnits> operand;
#pragma unroll
          for (int k = 0; k < kLaneUnits; ++k) {
            h.at[k] = CellForward(&gates[k], &c.at[k]);
            operand.at[k] = ToOperand<TeamT::kPrecision>(h.at[k]);
          }
          StorePack(c, team.State(row, 0));
          if (row < next.rows) {
            exchange.Send(
                operand,
                team.Buffer(t + 1) + row * p.launch.operand_stride +
                    (team.unit_begin + team.unit) * sizeof(typename TeamT::X));
          }
        }
        // As soon as the others have h: nobody waits for the rest.
        const bool arrive = last && next.rows > 0;
        const int64_t event = now.event + row;
        if (!Exchange::kThroughMemory && arrive) exchange.Arrive();
        if (mine) StorePack(h, p.h + team.Element(event));
        if (Exchange::kThroughMemory && arrive) exchange.Arrive();
        if (mine) {
          StorePack(c, p.c + team.Element(event));
          auto* const to = p.gates + team.GateElement(event);
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
        input = upcoming;
      }
      if (next.rows == 0) break;
      exchange.Wait();
      if constexpr (Exchange::kThroughMemory) {
        team.Gather(p.h + int64_t{now.event} * p.units, next.rows, p.units,
                    team.Buffer(t + 1));
        __syncthreads();
      }
      product = true;
      now = next;
      next = after;
    }
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_TEAM_FORWARD_CUH_
