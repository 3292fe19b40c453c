// SPDX-License-Identifier: Apache-2.0

// Per event and at the published sizes: 193,000 multiply-adds of products,
// 5,120 tanh forward and as many backward, and the row's window, 20 KB an array
// (two arrays forward, four backward). Weights (780 KB) and the windows of a
// block of rows do not fit the level-2 cache together, so windows come from
// beyond it: each row's is one ring in memory, walked in order, because slots
// taken from the packed arrays lie a power of two apart and displace each other
// (measured: backward took 1.6 times as long).

#include <algorithm>

#include "kernels/attention/attention.h"
#include "kernels/common/parallel_for.h"
#include "kernels/common/row_blocks.h"
#include "kernels/gemm/packing.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention/attention_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/attention/window_attention-inl.h"
#include "kernels/gemm/matmul-inl.h"
#include "kernels/lstm/gates-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

// The arrays of one step, pointing at its first row.
struct StepRows {
  const float* c_prev = nullptr;  // these three null: zero state
  const float* h_prev = nullptr;
  const float* attention_prev = nullptr;
  float* x;
  float* gates;
  float* c;
  float* h;
  float* query;
  float* attention;
  float* out;
  float* projected;
};

// c += a b for n x n and other packed matrices.
HWY_INLINE void AddProduct(int64_t rows, int64_t n, int64_t k, const float* a,
                           const TensorView& b, float* c) {
  MatmulRows(rows, n, k, a, k, b.data<float>(), Start::kC, nullptr, c, n);
}
// c = a b + bias; without bias c = a b.
HWY_INLINE void SetProduct(int64_t rows, int64_t n, int64_t k, const float* a,
                           const TensorView& b, const TensorView& bias,
                           float* c) {
  MatmulRows(rows, n, k, a, k, b.data<float>(),
             bias ? Start::kBias : Start::kZero, bias.data<float>(), c, n);
}

// From x' up to the query.
void BeforeWindow(const AttentionWeights& weights, int64_t n, int64_t width,
                  int64_t rows, const StepRows& s) {
  if (s.attention_prev != nullptr) {
    AddProduct(rows, width, n, s.attention_prev, weights.attention_to_x, s.x);
  }
  SetProduct(rows, 4 * n, width, s.x, weights.x_to_gates, weights.gates_bias,
             s.gates);
  if (s.h_prev != nullptr) {
    AddProduct(rows, 4 * n, n, s.h_prev, weights.recurrent, s.gates);
  }
  for (int64_t r = 0; r < rows; ++r) {
    CellForward(n, s.gates + r * 4 * n,
                s.c_prev != nullptr ? s.c_prev + r * n : nullptr, s.c + r * n,
                s.h + r * n);
  }
  SetProduct(rows, n, n, s.c, weights.c_to_query, weights.query_bias, s.query);
  AddProduct(rows, n, n, s.h, weights.h_to_query, s.query);
}

// From the attention vector to the projected output.
void AfterWindow(const AttentionWeights& weights, int64_t n, int64_t rows,
                 const StepRows& s) {
  SetProduct(rows, n, n, s.h, weights.h_to_out, weights.out_bias, s.out);
  AddProduct(rows, n, n, s.attention, weights.attention_to_out, s.out);
  SetProduct(rows, n, n, s.out, weights.project, TensorView(), s.projected);
}

void ForwardRows(const AttentionForwardArgs& args, int64_t begin, int64_t end) {
  const int64_t n = args.c.shape[1];
  const int64_t width = args.x.shape[1];
  const int64_t size = args.window;
  const int32_t* batch_sizes = args.ragged.batch_sizes.data<int32_t>();
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  float* c = args.c.data<float>();
  float* h = args.h.data<float>();
  float* attention = args.attention.data<float>();
  float* out = args.out.data<float>();
  float* projected = args.projected.data<float>();
  float* probabilities = args.probabilities.data<float>();
  float* const states_ring = args.window_states.data<float>();
  float* const projected_ring = args.window_projected.data<float>();
  const float* score = args.weights.score.data<float>();
  for (int64_t t = 0; t < args.ragged.steps() && batch_sizes[t] > begin; ++t) {
    const int64_t rows = std::min<int64_t>(end, batch_sizes[t]) - begin;
    const int64_t event = step_begin[t] + begin;
    StepRows s;
    if (t > 0) {
      const int64_t before = step_begin[t - 1] + begin;
      s.c_prev = c + before * n;
      s.h_prev = h + before * n;
      s.attention_prev = attention + before * n;
    }
    s.x = args.x.data<float>() + event * width;
    s.gates = args.gates.data<float>() + event * 4 * n;
    s.c = c + event * n;
    s.h = h + event * n;
    s.query = args.query.data<float>() + event * n;
    s.attention = attention + event * n;
    s.out = out + event * n;
    s.projected = projected + event * n;
    BeforeWindow(args.weights, n, width, rows, s);
    const Window window = Window::Before(t, size);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t ring = (begin + r) * size * n;
      AttendRow(n, window, score, s.query + r * n, states_ring + ring,
                projected_ring + ring, probabilities + (event + r) * size,
                s.attention + r * n);
    }
    AfterWindow(args.weights, n, rows, s);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t slot = ((begin + r) * size + t % size) * n;
      std::copy_n(s.out + r * n, n, states_ring + slot);
      std::copy_n(s.projected + r * n, n, projected_ring + slot);
    }
  }
}

// The rings of one row in backward: the window of the current step and its
// gradients.
struct Rings {
  float* states;
  float* projected;
  float* dstates;
  float* dprojected;
};

// Puts event `from` of the row, which lies at [event, n] of out and projected,
// into its slot with zero gradients.
HWY_INLINE void EnterWindow(int64_t n, int64_t slot, const float* out,
                            const float* projected, const Rings& rings) {
  std::copy_n(out, n, rings.states + slot * n);
  std::copy_n(projected, n, rings.projected + slot * n);
  std::fill_n(rings.dstates + slot * n, n, 0.0f);
  std::fill_n(rings.dprojected + slot * n, n, 0.0f);
}

void BackwardRows(const AttentionBackwardArgs& args, int64_t begin,
                  int64_t end) {
  const int64_t n = args.c.shape[1];
  const int64_t width = args.dx.shape[1];
  const int64_t size = args.window;
  const AttentionTransposes& weights = args.weights;
  const int32_t* batch_sizes = args.ragged.batch_sizes.data<int32_t>();
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  const float* score = args.score.data<float>();
  const float* c = args.c.data<float>();
  const float* out = args.out.data<float>();
  const float* projected = args.projected.data<float>();
  const float* probabilities = args.probabilities.data<float>();
  float* gates = args.gates.data<float>();
  float* query = args.query.data<float>();
  float* dout = args.dout.data<float>();
  float* dprojected = args.dprojected.data<float>();
  float* dx = args.dx.data<float>();
  const auto row_scratch = [&](const TensorView& view) {
    float* rows = view.data<float>() + begin * n;
    std::fill(rows, rows + (end - begin) * n, 0.0f);
    return rows;
  };
  float* const dh = row_scratch(args.dh);
  float* const dc = row_scratch(args.dc);
  float* const da = row_scratch(args.da);
  float* const dv = row_scratch(args.dv);
  float* const dp = args.dp.data<float>() + begin * size;
  const auto rings = [&](int64_t r) {
    const int64_t ring = (begin + r) * size * n;
    return Rings{args.window_states.data<float>() + ring,
                 args.window_projected.data<float>() + ring,
                 args.window_dstates.data<float>() + ring,
                 args.window_dprojected.data<float>() + ring};
  };

  int64_t t = args.ragged.steps();
  while (t > 0 && batch_sizes[t - 1] <= begin) --t;
  int64_t rows_after = 0;
  while (t-- > 0) {
    const int64_t rows = std::min<int64_t>(end, batch_sizes[t]) - begin;
    const int64_t event = step_begin[t] + begin;
    const int64_t before = t > 0 ? step_begin[t - 1] + begin : 0;
    float* const dout_rows = dout + event * n;
    const Window window = Window::Before(t, size);
    for (int64_t r = 0; r < rows; ++r) {
      // The event of this step leaves the ring with what later steps gave it,
      // and the one that its slot held before comes back.
      const Rings row_rings = rings(r);
      const int64_t slot = t % size;
      float* const dprojected_row = dprojected + (event + r) * n;
      const auto enter = [&](int64_t step) {
        const int64_t at = (step_begin[step] + begin + r) * n;
        EnterWindow(n, step % size, out + at, projected + at, row_rings);
      };
      if (r < rows_after) {
        AddRow(n, row_rings.dstates + slot * n, dout_rows + r * n);
        std::copy_n(row_rings.dprojected + slot * n, n, dprojected_row);
        if (t >= size) enter(t - size);
      } else {
        std::fill_n(dprojected_row, n, 0.0f);
        for (int64_t step = t - window.filled; step < t; ++step) enter(step);
      }
    }
    rows_after = rows;
    AddProduct(rows, n, n, dprojected + event * n, weights.project, dout_rows);
    AddProduct(rows, n, n, dout_rows, weights.h_to_out, dh);
    AddProduct(rows, n, n, dout_rows, weights.attention_to_out, da);
    for (int64_t r = 0; r < rows; ++r) {
      const Rings row_rings = rings(r);
      AttendRowBackward(
          n, window, score, query + (event + r) * n, row_rings.states,
          row_rings.projected, probabilities + (event + r) * size, da + r * n,
          dv + r * n, row_rings.dstates, row_rings.dprojected, dp + r * size);
    }
    const float* dquery = query + event * n;
    AddProduct(rows, n, n, dquery, weights.h_to_query, dh);
    AddProduct(rows, n, n, dquery, weights.c_to_query, dc);
    float* const dz = gates + event * 4 * n;
    for (int64_t r = 0; r < rows; ++r) {
      CellBackward(n, dz + r * 4 * n, t > 0 ? c + (before + r) * n : nullptr,
                   c + (event + r) * n, dh + r * n, dc + r * n);
    }
    float* const dx_rows = dx + event * width;
    const TensorView no_bias;
    SetProduct(rows, width, 4 * n, dz, weights.x_to_gates, no_bias, dx_rows);
    if (t == 0) break;
    SetProduct(rows, n, 4 * n, dz, weights.recurrent, no_bias, dh);
    SetProduct(rows, n, width, dx_rows, weights.attention_to_x, no_bias, da);
  }
}

// Rows [begin, end) of a decoding step.
void DecodeRows(const AttentionStepArgs& args, int64_t begin, int64_t end) {
  const int64_t n = args.c.shape[1];
  const int64_t width = args.x.shape[1];
  const int64_t size = args.window;
  const int64_t rows = end - begin;
  const int32_t* window_row = args.window_row.data<int32_t>();
  float* const states = args.window_states.data<float>();
  float* const projected = args.window_projected.data<float>();
  const auto from = [begin](const TensorView& view, int64_t columns) {
    return view.data<float>() + begin * columns;
  };
  StepRows s;
  s.c_prev = from(args.c_prev, n);
  s.h_prev = from(args.h_prev, n);
  s.attention_prev = from(args.attention_prev, n);
  s.x = from(args.x, width);
  s.gates = from(args.gates, 4 * n);
  s.c = from(args.c, n);
  s.h = from(args.h, n);
  s.query = from(args.query, n);
  s.attention = from(args.attention, n);
  s.out = from(args.out, n);
  s.projected = from(args.projected, n);
  BeforeWindow(args.weights, n, width, rows, s);
  const Window window = Window::Before(args.step, size);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t ring = window_row[begin + r] * size * n;
    AttendRow(n, window, args.weights.score.data<float>(), s.query + r * n,
              states + ring, projected + ring,
              from(args.probabilities, size) + r * size, s.attention + r * n);
  }
  AfterWindow(args.weights, n, rows, s);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t slot = (window_row[begin + r] * size + args.step % size) * n;
    std::copy_n(s.out + r * n, n, states + slot);
    std::copy_n(s.projected + r * n, n, projected + slot);
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {
HWY_EXPORT(ForwardRows);
HWY_EXPORT(BackwardRows);
HWY_EXPORT(DecodeRows);
}  // namespace

absl::Status AttentionForward(const Stream& stream,
                              const AttentionForwardArgs& args) {
  CONTINUO_CHECK(args.window >= 1 &&
                 args.probabilities.shape[1] == args.window);
  ForEachRowBlock(stream, args.ragged, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(ForwardRows)(args, begin, end);
  });
  return absl::OkStatus();
}

absl::Status AttentionBackward(const Stream& stream,
                               const AttentionBackwardArgs& args) {
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.window >= 1 &&
                 args.probabilities.shape[1] == args.window);
  ForEachRowBlock(stream, args.ragged, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(BackwardRows)(args, begin, end);
  });
  if (args.ragged.steps() == 0) return absl::OkStatus();
  // Each row has summed its own part; the rows are added in order.
  const int64_t rows = args.ragged.batch_sizes.data<int32_t>()[0];
  const float* dv = args.dv.data<float>();
  float* dscore = args.dscore.data<float>();
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < n; ++k) dscore[k] += dv[r * n + k];
  }
  return absl::OkStatus();
}

absl::Status AttentionStep(const Stream& stream,
                           const AttentionStepArgs& args) {
  const int64_t rows = args.c.shape[0];
  const int64_t size = args.window;
  CONTINUO_CHECK(size >= 1 && args.window_states.shape[1] == size);
  ForEachRowBlock(stream, rows, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(DecodeRows)(args, begin, end);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu

namespace continuo {

int64_t AttentionScratch(const Stream& stream, int64_t e, int64_t n,
                         int64_t i) {
  if constexpr (kHasCuda) {
    if (stream.device.type == DeviceType::kCuda) {
      return gpu::AttentionScratch(e, n, i);
    }
  }
  return 0;
}

}  // namespace continuo
#endif  // HWY_ONCE
