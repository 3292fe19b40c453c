// SPDX-License-Identifier: Apache-2.0

// One decoding step of the attention cell: products of all rows, with the cell
// and the window between them. Bound by the windows: 8 A n bytes a row.

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_window.h"
#include "kernels/common/launch.cuh"
#include "kernels/gemm/gemm.h"
#include "kernels/lstm/lstm_cell.cuh"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// c and h of the step from its z [rows, 4n].
template <typename Gate>
__global__ void CellKernel(const Gate* z, const float* c_prev, int64_t rows,
                           int n, float* c, float* h) {
  const int64_t total = rows * n;
  const int64_t stride = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < total;
       i += stride) {
    const Gate* const from = z + i / n * 4 * n + i % n;
    Gates gates = {ToFloat(from[0]), ToFloat(from[n]), ToFloat(from[2 * n]),
                   ToFloat(from[3 * n])};
    float cell = c_prev[i];
    h[i] = CellForward(&gates, &cell);
    c[i] = cell;
  }
}

}  // namespace

absl::Status AttentionStep(const Stream& stream,
                           const AttentionStepArgs& args) {
  const int64_t rows = args.c.shape[0];
  const int64_t n = args.c.shape[1];
  CONTINUO_CHECK(args.window >= 1 &&
                 args.window_states.shape[1] == args.window);
  if (rows == 0) return absl::OkStatus();
  const AttentionWeights& weights = args.weights;
  // c = a b + bias, or c += a b.
  const auto set = [&](const TensorView& a, const TensorView& b,
                       const TensorView& bias, const TensorView& c) {
    return gpu::Gemm(stream, {.a = a, .b = b, .bias = bias, .c = c});
  };
  const auto add = [&](const TensorView& a, const TensorView& b,
                       const TensorView& c) {
    return gpu::Gemm(stream, {.a = a, .b = b, .c = c, .accumulate = true});
  };
  CONTINUO_RETURN_IF_ERROR(
      add(args.attention_prev, weights.attention_to_x, args.x));
  CONTINUO_RETURN_IF_ERROR(
      set(args.x, weights.x_to_gates, weights.gates_bias, args.gates));
  CONTINUO_RETURN_IF_ERROR(add(args.h_prev, weights.recurrent, args.gates));
  const auto cell = [&]<typename Gate>(const Gate* gates) {
    CellKernel<<<GridSize(rows * n, kThreads), kThreads, 0,
                 stream.cuda->stream()>>>(
        gates, args.c_prev.data<float>(), rows, static_cast<int>(n),
        args.c.data<float>(), args.h.data<float>());
  };
  if (args.gates.dtype == DType::kBfloat16) {
    cell(Data<__nv_bfloat16>(args.gates));
  } else {
    cell(Data<float>(args.gates));
  }
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  CONTINUO_RETURN_IF_ERROR(
      set(args.c, weights.c_to_query, weights.query_bias, args.query));
  CONTINUO_RETURN_IF_ERROR(add(args.h, weights.h_to_query, args.query));
  const WindowArrays window = {.step = args.step,
                               .states = args.window_states,
                               .projected = args.window_projected,
                               .row = args.window_row};
  CONTINUO_RETURN_IF_ERROR(
      gpu::AttendWindow(stream, {.window = window,
                                 .score = weights.score,
                                 .query = args.query,
                                 .probabilities = args.probabilities,
                                 .attention = args.attention}));
  CONTINUO_RETURN_IF_ERROR(
      set(args.h, weights.h_to_out, weights.out_bias, args.out));
  CONTINUO_RETURN_IF_ERROR(
      add(args.attention, weights.attention_to_out, args.out));
  CONTINUO_RETURN_IF_ERROR(
      set(args.out, weights.project, TensorView(), args.projected));
  return gpu::EnterWindow(
      stream, {.window = window, .out = args.out, .projected = args.projected});
}

}  // namespace continuo::gpu
