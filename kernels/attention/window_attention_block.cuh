// SPDX-License-Identifier: Apache-2.0

// The attention window of some rows, forward and backward, by one block. The
// slots of a row's window are a ring: the state of event e is in slot e mod A.
//
// Bound by arithmetic: n tanh a slot. Scores are computed a warp a slot; sums
// over slots a thread a unit, the slots dealt to `groups` threads of each unit.
// Sums have one order, whatever else the block does.

#ifndef CONTINUO_KERNELS_ATTENTION_WINDOW_ATTENTION_BLOCK_CUH_
#define CONTINUO_KERNELS_ATTENTION_WINDOW_ATTENTION_BLOCK_CUH_

#include <cstdint>

#include "kernels/common/warp.cuh"
#include "kernels/lstm/lstm_cell.cuh"
#include "runtime/device/device.h"

namespace continuo::gpu {

// tanh of the scores: in bf16 by one instruction, with a relative error of
// 2^-11, less than that of its operands.
template <Precision kPrecision>
__device__ inline float ScoreTanh(float x) {
  if constexpr (kPrecision == Precision::kBf16) {
    float y;
    asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
  } else {
    return Tanh(x);
  }
}

// The windows of `rows` rows before step `step`. Shared memory of a block.
struct WindowRows {
  int rows;
  int n;
  int stride;  // elements between rows of vectors: at least n
  int window;  // A
  int step;
  int groups;          // that slots are dealt to
  const float* score;  // v [n]
  const float* query;  // [rows, stride]
  float* weight;       // [rows, A + 1]
  float* partial;      // [rows, groups, stride]

  // Slots in use; they are 0 to filled() - 1.
  __device__ int filled() const { return min(step, window); }
};

// A lane's part of a vector of n units: in registers where kN, which is n or 0,
// gives its size.
template <int kN>
class LaneVector {
 public:
  __device__ explicit LaneVector(const float* from) : from_(from) {
    if constexpr (kN > 0) {
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        values_[i] = from[threadIdx.x % 32 + i * 32];
      }
    }
  }
  // fn(k, value, i) for every 32nd unit k, i counting.
  template <typename Fn>
  __device__ void ForEach(int n, const Fn& fn) const {
    const int lane = threadIdx.x % 32;
    if constexpr (kN > 0) {
#pragma unroll
      for (int i = 0; i < kEach; ++i) fn(lane + i * 32, values_[i], i);
    } else {
#pragma unroll 4
      for (int k = lane; k < n; k += 32) fn(k, from_[k], 0);
    }
  }
  __device__ float At(int k, int i) const {
    return kN > 0 ? values_[i] : from_[k];
  }

 private:
  static_assert(kN % 32 == 0);
  static constexpr int kEach = kN > 0 ? kN / 32 : 1;
  const float* from_;
  float values_[kEach];
};

// The sum of the groups' parts for each unit, to result(row, unit, sum).
template <int kThreads, typename Result>
__device__ __forceinline__ void SumGroups(const WindowRows& w,
                                          const Result& result) {
  for (int task = threadIdx.x; task < w.rows * w.stride; task += kThreads) {
    const int row = task / w.stride;
    const int unit = task % w.stride;
    if (unit >= w.n) continue;
    const float* const from = w.partial + row * w.groups * w.stride + unit;
    float sum = from[0];
    for (int group = 1; group < w.groups; ++group) {
      sum += from[group * w.stride];
    }
    result(row, unit, sum);
  }
}

// Scores, softmax and context, by all kThreads threads of a block. kN: n, or 0
// where only the run tells; kOneRow: there is at most one. `states(row)` and
// `projected(row)` are rings [A, n] anywhere; `probability(row)` is where A
// probabilities go, oldest slot first; `result(row, unit, a)` takes the
// context, and the threads meet before others use what it wrote.
template <Precision kPrecision, int kN, int kThreads, bool kOneRow,
          typename States, typename Projected, typename Probability,
          typename Result>
__device__ __forceinline__ void Attend(const WindowRows& w,
                                       const States& states,
                                       const Projected& projected,
                                       const Probability& probability,
                                       const Result& result) {
  constexpr int kWarps = kThreads / 32;
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int filled = w.filled();
  const int empty = w.window - filled;
  // All empty slots have the score of a zero vector: it comes after the others.
  const int scores = filled + (empty > 0 ? 1 : 0);
  const LaneVector<kN> v(w.score);
  const auto score = [&](const LaneVector<kN>& query, int row, int slot) {
    float sum = 0;
    if (slot < filled) {
      const float* const from = projected(row) + int64_t{slot} * w.n;
      query.ForEach(w.n, [&](int k, float q, int i) {
        sum = fmaf(v.At(k, i), ScoreTanh<kPrecision>(from[k] + q), sum);
      });
    } else {
      query.ForEach(w.n, [&](int k, float q, int i) {
        sum = fmaf(v.At(k, i), ScoreTanh<kPrecision>(q), sum);
      });
    }
    sum = WarpSum(sum);
    if (lane == 0) w.weight[row * (w.window + 1) + slot] = sum;
  };
  if constexpr (kOneRow) {
    if (w.rows > 0) {
      const LaneVector<kN> query(w.query);
      for (int slot = warp; slot < scores; slot += kWarps) {
        score(query, 0, slot);
      }
    }
  } else {
    for (int task = warp; task < w.rows * scores; task += kWarps) {
      const int row = task / scores;
      score(LaneVector<kN>(w.query + row * w.stride), row, task % scores);
    }
  }
  __syncthreads();
  for (int row = warp; row < w.rows; row += kWarps) {
    float* const weight = w.weight + row * (w.window + 1);
    float highest = empty > 0 ? weight[filled] : weight[0];
    for (int slot = lane; slot < filled; slot += 32) {
      highest = fmaxf(highest, weight[slot]);
    }
    highest = WarpMax(highest);
    float sum = 0;
    for (int slot = lane; slot < filled; slot += 32) {
      const float e = __expf(weight[slot] - highest);
      weight[slot] = e;
      sum += e;
    }
    const float idle = empty > 0 ? __expf(weight[filled] - highest) : 0.0f;
    const float scale =
        1.0f / fmaf(static_cast<float>(empty), idle, WarpSum(sum));
    float* const p = probability(row);
    const int newest = w.step % w.window;  // the slot after it is the oldest
    for (int slot = lane; slot < filled; slot += 32) {
      const float value = weight[slot] * scale;
      weight[slot] = value;
      p[slot < newest ? w.window - newest + slot : slot - newest] = value;
    }
    for (int j = lane; j < empty; j += 32) p[j] = idle * scale;
  }
  __syncthreads();
  const int each = w.groups * w.stride;
  for (int task = threadIdx.x; task < w.rows * each; task += kThreads) {
    const int row = kOneRow ? 0 : task / each;
    const int unit = task % w.stride;
    if (unit >= w.n) continue;
    const float* const weight = w.weight + row * (w.window + 1);
    const float* const from = states(row) + unit;
    float sum = 0;
#pragma unroll 4
    for (int slot = task % each / w.stride; slot < filled; slot += w.groups) {
      sum = fmaf(weight[slot], from[int64_t{slot} * w.n], sum);
    }
    w.partial[task] = sum;
  }
  __syncthreads();
  SumGroups<kThreads>(w, result);
}

// Given the gradient of the context, adds to those of the rings and of v, and
// gives `result` that of the query.
struct WindowGradients {
  const float* dattention;  // [rows, stride]
  float* dweight;           // [rows, A + 1] scratch
  float* dscore;            // [rows, groups, stride] in and out: += parts of
                            // the gradient of v
};

// As Attend, with rings of gradients; weight[row, slot] is the slot's
// probability, [row, A] that of an empty one. When `result` is called, the
// block has met since the rings were written.
template <Precision kPrecision, int kN, int kThreads, bool kOneRow,
          typename States, typename Projected, typename DStates,
          typename DProjected, typename Result>
__device__ __forceinline__ void AttendBackward(
    const WindowRows& w, const WindowGradients& g, const States& states,
    const Projected& projected, const DStates& dstates,
    const DProjected& dprojected, const Result& result) {
  constexpr int kWarps = kThreads / 32;
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int filled = w.filled();
  const int empty = w.window - filled;
  const auto dot = [&](const LaneVector<kN>& da, int row, int slot) {
    const float* const from = states(row) + int64_t{slot} * w.n;
    float sum = 0;
    da.ForEach(w.n, [&](int k, float x, int) { sum = fmaf(from[k], x, sum); });
    sum = WarpSum(sum);
    if (lane == 0) g.dweight[row * (w.window + 1) + slot] = sum;
  };
  if constexpr (kOneRow) {
    if (w.rows > 0) {
      const LaneVector<kN> da(g.dattention);
      for (int slot = warp; slot < filled; slot += kWarps) dot(da, 0, slot);
    }
  } else {
    for (int task = warp; task < w.rows * filled; task += kWarps) {
      const int row = task / filled;
      dot(LaneVector<kN>(g.dattention + row * w.stride), row, task % filled);
    }
  }
  __syncthreads();
  for (int row = warp; row < w.rows; row += kWarps) {
    const float* const weight = w.weight + row * (w.window + 1);
    float* const dweight = g.dweight + row * (w.window + 1);
    float mean = 0;
    for (int slot = lane; slot < filled; slot += 32) {
      mean = fmaf(weight[slot], dweight[slot], mean);
    }
    mean = WarpSum(mean);
    for (int slot = lane; slot < filled; slot += 32) {
      dweight[slot] = weight[slot] * (dweight[slot] - mean);
    }
    // Of all empty slots together: the context has no part of theirs.
    if (lane == 0 && empty > 0) {
      dweight[w.window] = -static_cast<float>(empty) * weight[w.window] * mean;
    }
  }
  __syncthreads();
  const int each = w.groups * w.stride;
  for (int task = threadIdx.x; task < w.rows * each; task += kThreads) {
    const int row = kOneRow ? 0 : task / each;
    const int unit = task % w.stride;
    if (unit >= w.n) continue;
    const int group = task % each / w.stride;
    const float* __restrict__ const weight = w.weight + row * (w.window + 1);
    const float* __restrict__ const dweight = g.dweight + row * (w.window + 1);
    const float query = w.query[row * w.stride + unit];
    const float v = w.score[unit];
    const float da = g.dattention[row * w.stride + unit];
    const float* __restrict__ const from = projected(row) + unit;
    float* __restrict__ const to_state = dstates(row) + unit;
    float* __restrict__ const to_projected = dprojected(row) + unit;
    float dv = 0;
    float dquery = 0;
    if (group == 0 && empty > 0) {
      const float y = ScoreTanh<kPrecision>(query);
      const float ds = dweight[w.window];
      dv = ds * y;
      dquery = ds * v * fmaf(-y, y, 1.0f);
    }
#pragma unroll 2
    for (int slot = group; slot < filled; slot += w.groups) {
      const int64_t at = int64_t{slot} * w.n;
      const float ds = dweight[slot];
      const float y = ScoreTanh<kPrecision>(from[at] + query);
      const float gradient = ds * v * fmaf(-y, y, 1.0f);
      dv = fmaf(ds, y, dv);
      dquery += gradient;
      to_projected[at] += gradient;
      to_state[at] = fmaf(weight[slot], da, to_state[at]);
    }
    g.dscore[task] += dv;
    w.partial[task] = dquery;
  }
  __syncthreads();
  SumGroups<kThreads>(w, result);
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTENTION_WINDOW_ATTENTION_BLOCK_CUH_
