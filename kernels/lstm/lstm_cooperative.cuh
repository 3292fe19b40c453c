// SPDX-License-Identifier: Apache-2.0

// The passes of the LSTM by groups of blocks (lstm_cooperative.h), forward and
// backward. How the blocks of a group exchange their parts of h and dz is the
// Exchange: lstm_cluster_gpu.cu and lstm_grid_gpu.cu.
//
// Bound by the latency of a step: exchange, product, sums through shared
// memory, gates. Of global memory a row and step moves, once each, forward 4 h
// gates in and 4 h gates, h of c and h of h out; backward 4 h gates, h of c and
// h of dh in and 4 h gates out: at 64 rows and 256 units 262,144 bytes in bf16,
// and no more are touched by count. Inputs of the next 8 rows are loaded before
// the product of these.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_CUH_

#include <type_traits>

#include "kernels/common/launch.cuh"
#include "kernels/lstm/lstm_cell.cuh"
#include "kernels/lstm/lstm_cooperative_product.cuh"

namespace continuo::gpu {

// Elements that are moved by one access.
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
struct GroupArgs {
  LstmCooperativeLaunch launch;
  int units;  // h
  int steps;
  const int32_t* batch_sizes;  // [T]
  const int32_t* step_begin;   // [T + 1]
  const float* weights;        // [h, 4h], backward [4h, h]
  const float* initial_c;      // forward: [N, h] or null
  const float* initial_h;
  Gate* gates;        // [E, 4h]
  float* c;           // [E, h], backward only read
  float* h;           // forward: [E, h]
  const float* dh;    // backward: [E, h]
  int32_t* arrivals;  // grid: [blocks], zeros
};

// The rows of a slice that are alive at a step, and the first one's event.
struct GroupStep {
  int rows = 0;
  int event = 0;
};

// What both passes are made of: a thread's place, and its accesses to the
// block's shared memory and to the arrays.
template <typename Product, typename Exchange>
struct BlockGroup {
  static constexpr Precision kPrecision = Product::kPrecision;
  static constexpr int kUnits = Product::kUnits;
  static constexpr int kLaneUnits = kUnits / 32;
  using X = Operand<kPrecision>;
  using Gate = Operand<kPrecision>;  // GateType
  using Floats = Pack<float, kLaneUnits>;
  using GatePack = Pack<Gate, kLaneUnits>;

  __device__ BlockGroup(const GroupArgs<Gate>& args, char* shared)
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
    for (int i = threadIdx.x * 16; i < bytes;
         i += kLstmCooperativeThreads * 16) {
      *reinterpret_cast<uint4*>(operand + i) = make_uint4(0, 0, 0, 0);
    }
  }

  __device__ GroupStep At(int t, int row_begin) const {
    if (t < 0 || t >= p.steps) return {};
    const int rows = min(p.batch_sizes[t] - row_begin, p.launch.slice_rows);
    return {max(rows, 0), p.step_begin[t] + row_begin};
  }

  // Steps of a slice. All threads of the block call it.
  __device__ int Steps(int row_begin) const {
    int count = 0;
    for (int begin = 0; begin < p.steps; begin += kLstmCooperativeThreads) {
      const int t = begin + static_cast<int>(threadIdx.x);
      count += __syncthreads_count(t < p.steps && p.batch_sizes[t] > row_begin);
    }
    return count;
  }

  __device__ char* Buffer(int step) const {
    return operand + step % Exchange::kBuffers * p.launch.operand_bytes;
  }

  // Copies whole rows [rows, width] into a buffer of the left operand, a warp a
  // row. Other blocks may have written them, so it goes past the level-1 cache.
  // Several loads are in flight at a time: a group of a grid waits for them at
  // every step.
  template <typename In>
  __device__ void Gather(const In* from, int rows, int width,
                         char* buffer) const {
    constexpr int kRun = 16 / sizeof(In);
    const int lane = threadIdx.x % 32;
    const int runs = width / kRun;
    for (int row = warp; row < rows; row += kLstmCooperativeRows) {
      const uint4* const in = reinterpret_cast<const uint4*>(from) + row * runs;
      char* const to = buffer + row * p.launch.operand_stride;
      if constexpr (std::is_same_v<In, X> && kPrecision != Precision::kTf32) {
        for (int run = lane; run < runs; run += 32) {
          asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(
                           SharedAddress(to + run * 16)),
                       "l"(in + run)
                       : "memory");
        }
      } else {
        constexpr int kAhead = 8;
        for (int first = lane; first < runs; first += 32 * kAhead) {
          uint4 raw[kAhead];
#pragma unroll
          for (int i = 0; i < kAhead; ++i) {
            if (first + 32 * i < runs) raw[i] = __ldcg(in + first + 32 * i);
          }
#pragma unroll
          for (int i = 0; i < kAhead; ++i) {
            const int run = first + 32 * i;
            if (run >= runs) break;
            const auto values =
                *reinterpret_cast<const Pack<In, kRun>*>(&raw[i]);
            Pack<X, kRun> out;
#pragma unroll
            for (int k = 0; k < kRun; ++k) {
              out.at[k] = ToOperand<kPrecision>(ToFloat(values.at[k]));
            }
            StorePack(out, to + run * kRun * sizeof(X));
          }
        }
      }
    }
    CommitCopies();
    WaitForCopies<0>();
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
      const Floats more = LoadPack<kLaneUnits>(
          from + split * kLstmCooperativeRows * Product::kSumsStride);
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

  const GroupArgs<Gate>& p;
  const int warp;
  const int unit_begin;  // of the block
  const int unit;        // of the lane, from unit_begin on
  char* const operand;
  float* const sums;
  float* const state;
};

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_COOPERATIVE_CUH_
