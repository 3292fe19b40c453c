// The passes of the LSTM by teams of blocks (lstm_team.h), forward and
// backward. How the blocks of a team exchange their parts of h and dz is the
// Exchange: lstm_cluster_gpu.cu and lstm_grid_gpu.cu.
//
// Bound by the latency of a step: exchange, product, sums through shared
// memory, gates. By bytes a row and step moves, once each, forward 8 h gates
// and h of c and h; backward 8 h gates, h of c and h of dh (4 h gates is 8 h
// bytes in bf16, 16 h otherwise). Inputs of a row's next chunk are loaded
// before the product of this one.

#ifndef CONTINUO_KERNELS_LSTM_TEAM_CUH_
#define CONTINUO_KERNELS_LSTM_TEAM_CUH_

#include "kernels/lstm_cell.cuh"
#include "kernels/lstm_team_product.cuh"

namespace continuo::gpu {

template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T at[kCount];
};
template <int kCount, typename T>
__device__ Pack<T, kCount> LoadPack(const T* from) {
  return *reinterpret_cast<const Pack<T, kCount>*>(from);
}
template <typename T, int kCount>
__device__ void StorePack(const Pack<T, kCount>& pack, void* to) {
  *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
}

template <typename Gate>
struct TeamArgs {
  LstmTeamLaunch launch;
  int units;  // h
  int steps;
  const int32_t* alive;       // [T]
  const int32_t* step_begin;  // [T + 1]
  const float* weights;       // [h, 4h], backward [4h, h]
  const float* initial_c;     // forward: [N, h] or null
  const float* initial_h;
  Gate* gates;        // [E, 4h]
  float* c;           // [E, h], backward only read
  float* h;           // forward: [E, h]
  const float* dh;    // backward: [E, h]
  int32_t* arrivals;  // grid: [blocks], zeros
};

// The rows of a slice that are alive at a step, and the first one's event.
struct TeamStep {
  int rows = 0;
  int event = 0;
};

// Ends of a launch and of a warp that every pass has in common.
template <typename Product, typename Exchange>
struct Team {
  static constexpr Precision kPrecision = Product::kPrecision;
  static constexpr int kUnits = Product::kUnits;
  static constexpr int kLaneUnits = kUnits / 32;
  using X = Operand<kPrecision>;
  using Gate = Operand<kPrecision>;  // GateType
  using Floats = Pack<float, kLaneUnits>;
  using GatePack = Pack<Gate, kLaneUnits>;

  __device__ Team(const TeamArgs<Gate>& args, char* shared)
      : p(args),
        warp(threadIdx.x / 32),
        unit_begin(Exchange::Rank(args.launch) * kUnits),
        unit(threadIdx.x % 32 * kLaneUnits),
        operand(shared),
        sums(reinterpret_cast<float*>(shared + args.launch.sums_offset)),
        state(reinterpret_cast<float*>(shared + args.launch.state_offset)) {}

  // Rows that no step has reached yet are multiplied with the others of their
  // eight: whatever finite numbers they hold.
  __device__ void ClearOperands() const {
    const int bytes = p.launch.sums_offset;
    for (int i = threadIdx.x * 16; i < bytes; i += kLstmTeamThreads * 16) {
      *reinterpret_cast<uint4*>(operand + i) = make_uint4(0, 0, 0, 0);
    }
  }

  __device__ TeamStep At(int t, int row_begin) const {
    if (t < 0 || t >= p.steps) return {};
    const int rows = min(p.alive[t] - row_begin, p.launch.slice_rows);
    return {max(rows, 0), p.step_begin[t] + row_begin};
  }

  // Steps of a slice. All threads of the block call it.
  __device__ int Steps(int row_begin) const {
    int count = 0;
    for (int begin = 0; begin < p.steps; begin += kLstmTeamThreads) {
      const int t = begin + static_cast<int>(threadIdx.x);
      count += __syncthreads_count(t < p.steps && p.alive[t] > row_begin);
    }
    return count;
  }

  __device__ char* Buffer(int step) const {
    return operand + step % Exchange::kBuffers * p.launch.operand_bytes;
  }

  // Copies whole rows [rows, width] into a buffer of the left operand. Other
  // blocks may have written them.
  template <typename In>
  __device__ void Gather(const In* from, int rows, int width,
                         char* buffer) const {
    constexpr int kRun = 16 / sizeof(In);
    const int runs = width / kRun;
    for (int i = threadIdx.x; i < rows * runs; i += kLstmTeamThreads) {
      const int row = i / runs;
      const uint4 raw = __ldcg(reinterpret_cast<const uint4*>(from) + i);
      const auto in = *reinterpret_cast<const Pack<In, kRun>*>(&raw);
      Pack<X, kRun> out;
#pragma unroll
      for (int k = 0; k < kRun; ++k) {
        out.at[k] = ToOperand<kPrecision>(ToFloat(in.at[k]));
      }
      StorePack(out, buffer + row * p.launch.operand_stride +
                         i % runs * kRun * sizeof(X));
    }
  }

  __device__ float* SumsOf(int parity) const {
    return sums + parity * Product::kSums;
  }

  // The sums of the ranges of k of this lane's units, from `column` on.
  __device__ Floats Sum(int parity, int column) const {
    const float* const from =
        SumsOf(parity) + warp * Product::kSumsStride + column + unit;
    Floats sum = LoadPack<kLaneUnits>(from);
#pragma unroll
    for (int split = 1; split < Product::kSplits; ++split) {
      const Floats more = LoadPack<kLaneUnits>(from + split * kLstmTeamRows *
                                                          Product::kSumsStride);
#pragma unroll
      for (int k = 0; k < kLaneUnits; ++k) sum.at[k] += more.at[k];
    }
    return sum;
  }

  // The state of this lane's units of a row: which no other lane looks at.
  __device__ float* State(int row, int which) const {
    return state + (which * p.launch.slice_rows + row) * kUnits + unit;
  }

  // Element of this lane's first unit in an [E, h] or, of gate i, [E, 4h]
  // array.
  __device__ int64_t Element(int64_t event) const {
    return event * p.units + unit_begin + unit;
  }
  __device__ int64_t GateElement(int64_t event) const {
    return event * 4 * p.units + unit_begin + unit;
  }

  const TeamArgs<Gate>& p;
  const int warp;
  const int unit_begin;  // of the block
  const int unit;        // of the lane, from unit_begin on
  char* const operand;
  float* const sums;
  float* const state;
};

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
        if (last && next.rows > 0) exchange.ArriveAfterSend();
        if (mine) {
          const int64_t event = now.event + row;
          StorePack(h, p.h + team.Element(event));
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
      exchange.ArriveAfterStore();
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
        if (last && t > 0) exchange.ArriveAfterSend();
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
        input = upcoming;
      }
      if (t == 0) break;
      exchange.ArriveAfterStore();
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

#endif  // CONTINUO_KERNELS_LSTM_TEAM_CUH_
