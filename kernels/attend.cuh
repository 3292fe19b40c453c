// The attention window of some rows, forward and backward, by one block. The
// slots of a row's window are a ring: the state of event e is in slot e mod A.
//
// Bound by arithmetic: n tanh a slot. Forward walks scores a warp a slot, then
// sums over slots a thread a unit, the slots dealt to `groups` threads of each
// unit. Sums have one order, whatever else the block does.

#ifndef CONTINUO_KERNELS_ATTEND_CUH_
#define CONTINUO_KERNELS_ATTEND_CUH_

#include <cstdint>

#include "kernels/lstm_cell.cuh"
#include "runtime/device.h"

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

__device__ inline float WarpSum(float x) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, offset);
  }
  return x;
}
__device__ inline float WarpMax(float x) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, offset));
  }
  return x;
}

// The windows of `rows` rows before step `step`. Shared memory of a block,
// unless said otherwise.
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
  // Where the slot's state comes among the A, oldest first.
  __device__ int Place(int slot) const {
    const int age = step % window - slot;
    return window - (age > 0 ? age : age + window);
  }
};

// Scores, softmax and context. `states(row)` and `projected(row)` are rings
// [A, n] anywhere; `probability(row)` is where A probabilities go, oldest slot
// first; `result(row, unit, a)` takes the context. Every thread of the block
// calls it, and meets the others before it uses what `result` wrote.
template <Precision kPrecision, typename States, typename Projected,
          typename Probability, typename Result>
__device__ inline void Attend(const WindowRows& w, const States& states,
                              const Projected& projected,
                              const Probability& probability,
                              const Result& result) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int warps = blockDim.x / 32;
  const int filled = w.filled();
  const int empty = w.window - filled;
  // All empty slots have the score of a zero vector: it comes after the others.
  const int scores = filled + (empty > 0 ? 1 : 0);
  for (int task = warp; task < w.rows * scores; task += warps) {
    const int row = task / scores;
    const int slot = task % scores;
    const float* const query = w.query + row * w.stride;
    float sum = 0;
    if (slot < filled) {
      const float* const from = projected(row) + int64_t{slot} * w.n;
#pragma unroll 4
      for (int k = lane; k < w.n; k += 32) {
        sum = fmaf(w.score[k], ScoreTanh<kPrecision>(from[k] + query[k]), sum);
      }
    } else {
      for (int k = lane; k < w.n; k += 32) {
        sum = fmaf(w.score[k], ScoreTanh<kPrecision>(query[k]), sum);
      }
    }
    sum = WarpSum(sum);
    if (lane == 0) w.weight[row * (w.window + 1) + slot] = sum;
  }
  __syncthreads();
  for (int row = warp; row < w.rows; row += warps) {
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
    for (int slot = lane; slot < filled; slot += 32) {
      const float value = weight[slot] * scale;
      weight[slot] = value;
      p[w.Place(slot)] = value;
    }
    for (int j = lane; j < empty; j += 32) p[j] = idle * scale;
  }
  __syncthreads();
  const int each = w.groups * w.stride;
  for (int task = threadIdx.x; task < w.rows * each; task += blockDim.x) {
    const int row = task / each;
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
  for (int task = threadIdx.x; task < w.rows * w.stride; task += blockDim.x) {
    const int row = task / w.stride;
    const int unit = task % w.stride;
    if (unit >= w.n) continue;
    const float* const from = w.partial + row * each + unit;
    float sum = from[0];
    for (int group = 1; group < w.groups; ++group) {
      sum += from[group * w.stride];
    }
    result(row, unit, sum);
  }
}

// Given the gradient of the context, adds to those of the rings and of v, and
// gives `result` that of the query.
struct WindowGradients {
  const float* dattention;  // [rows, stride]
  float* dweight;           // [rows, A + 1] scratch
  float* dscore;            // [rows, groups, stride] in and out: += parts of
                            // the gradient of v
};

// `probability(row)` as Attend left it; rings as there, with those of the
// gradients. After it the block has met since the rings were last written, but
// not since `result`.
template <Precision kPrecision, typename States, typename Projected,
          typename DStates, typename DProjected, typename Probability,
          typename Result>
__device__ inline void AttendBackward(
    const WindowRows& w, const WindowGradients& g, const States& states,
    const Projected& projected, const DStates& dstates,
    const DProjected& dprojected, const Probability& probability,
    const Result& result) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int warps = blockDim.x / 32;
  const int filled = w.filled();
  const int empty = w.window - filled;
  for (int task = warp; task < w.rows * filled; task += warps) {
    const int row = task / filled;
    const int slot = task % filled;
    const float* const from = states(row) + int64_t{slot} * w.n;
    const float* const da = g.dattention + row * w.stride;
    const float p = probability(row)[w.Place(slot)];
    float sum = 0;
#pragma unroll 4
    for (int k = lane; k < w.n; k += 32) sum = fmaf(from[k], da[k], sum);
    sum = WarpSum(sum);
    if (lane == 0) {
      const int at = row * (w.window + 1) + slot;
      g.dweight[at] = sum;
      w.weight[at] = p;
    }
  }
  __syncthreads();
  for (int row = warp; row < w.rows; row += warps) {
    const float* const weight = w.weight + row * (w.window + 1);
    float* const dweight = g.dweight + row * (w.window + 1);
    // Of an empty slot the probability has no gradient, but the score has.
    const float idle = empty > 0 ? probability(row)[0] : 0.0f;
    float mean = 0;
    for (int slot = lane; slot < filled; slot += 32) {
      mean = fmaf(weight[slot], dweight[slot], mean);
    }
    mean = WarpSum(mean);
    for (int slot = lane; slot < filled; slot += 32) {
      dweight[slot] = weight[slot] * (dweight[slot] - mean);
    }
    if (lane == 0) {
      dweight[w.window] = -static_cast<float>(empty) * idle * mean;
    }
  }
  __syncthreads();
  const int each = w.groups * w.stride;
  for (int task = threadIdx.x; task < w.rows * each; task += blockDim.x) {
    const int row = task / each;
    const int unit = task % w.stride;
    if (unit >= w.n) continue;
    const int group = task % each / w.stride;
    const float* const weight = w.weight + row * (w.window + 1);
    const float* const dweight = g.dweight + row * (w.window + 1);
    const float query = w.query[row * w.stride + unit];
    const float v = w.score[unit];
    const float da = g.dattention[row * w.stride + unit];
    const float* const from = projected(row) + unit;
    float* const to_state = dstates(row) + unit;
    float* const to_projected = dprojected(row) + unit;
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
  for (int task = threadIdx.x; task < w.rows * w.stride; task += blockDim.x) {
    const int row = task / w.stride;
    const int unit = task % w.stride;
    if (unit >= w.n) continue;
    const float* const from = w.partial + row * each + unit;
    float sum = from[0];
    for (int group = 1; group < w.groups; ++group) {
      sum += from[group * w.stride];
    }
    result(row, unit, sum);
  }
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_ATTEND_CUH_
