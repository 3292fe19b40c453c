// SPDX-License-Identifier: Apache-2.0

// The attention cell: what comes before and after the kernels of its loops, and
// their plain form, in which a block takes its rows through all steps and
// blocks never synchronize.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "kernels/attention/attention.h"
#include "kernels/attention/attention_backward.cuh"
#include "kernels/attention/attention_cluster.cuh"
#include "kernels/attention/attention_fold.cuh"
#include "kernels/attention/attention_forward.cuh"
#include "kernels/common/precision.h"
#include "kernels/gemm/gemm.h"
#include "runtime/base/log.h"
#include "runtime/base/log_once.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// out[e] = x of the event before e in its row, or zeros: also of rows that no
// event has. A warp an event; bound by bytes.
__global__ void ShiftEventsKernel(const float* x, const int32_t* step_begin,
                                  int steps, int64_t rows, int n, float* out) {
  const int64_t events = step_begin[steps];
  const int64_t stride = int64_t{gridDim.x} * (kThreads / 32);
  for (int64_t event = int64_t{blockIdx.x} * (kThreads / 32) + threadIdx.x / 32;
       event < rows; event += stride) {
    const float* from = nullptr;
    if (event < events) {
      // The last step that begins at or before the event.
      int low = 0;
      int high = steps;
      while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (step_begin[middle] <= event) {
          low = middle;
        } else {
          high = middle;
        }
      }
      if (low > 0) {
        from = x + (event - step_begin[low] + step_begin[low - 1]) * n;
      }
    }
    for (int k = threadIdx.x % 32; k < n; k += 32) {
      out[event * n + k] = from != nullptr ? from[k] : 0.0f;
    }
  }
}

// dscore[k] += the sum of dv over the rows, in order: eight sums of every
// eighth row, then those.
constexpr int kScoreUnits = 32;
constexpr int kScoreParts = 8;
__global__ void SumScoreKernel(const float* dv, const int32_t* batch_sizes,
                               int n, float* dscore) {
  __shared__ float parts[kScoreParts][kScoreUnits];
  const int k = blockIdx.x * kScoreUnits + threadIdx.x;
  const int rows = batch_sizes[0];
  float sum = 0;
  if (k < n) {
#pragma unroll 4
    for (int row = threadIdx.y; row < rows; row += kScoreParts) {
      sum += dv[int64_t{row} * n + k];
    }
  }
  parts[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || k >= n) return;
  for (int part = 1; part < kScoreParts; ++part)
    sum += parts[part][threadIdx.x];
  dscore[k] += sum;
}

template <typename Kernel, typename Params>
absl::Status LaunchPlain(const Stream& stream, Kernel kernel, int64_t rows,
                         const Params& params) {
  const AttentionLayout& layout = params.batch.layout;
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           layout.shared_bytes));
  kernel<<<static_cast<unsigned>(CeilDiv(rows, layout.rows)), kAttentionThreads,
           layout.shared_bytes, stream.cuda->stream()>>>(params);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

// The layout to run with, and whether it is that of a cluster.
struct Choice {
  AttentionLayout layout;
  bool cluster = false;
};

// Says once for each shape which form it takes.
void LogChoice(AttentionPass pass, const AttentionShape& shape,
               const Choice& choice) {
  if (MinLogLevel() > LogLevel::kDebug) return;
  const AttentionLayout& layout = choice.layout;
  LogDebugOnce(absl::StrCat(
      "attention ", pass == AttentionPass::kForward ? "forward" : "backward",
      " of ", shape.n, " units, window ", shape.window, ", ", shape.rows,
      " rows: ",
      choice.cluster ? absl::StrCat("clusters of ", layout.blocks, " blocks")
                     : "single blocks",
      " of ", layout.rows, " rows, ", layout.shared_bytes,
      " bytes of shared memory"));
}

absl::StatusOr<Choice> Choose(const Stream& stream, AttentionPass pass,
                              const AttentionShape& shape) {
  const GpuProperties& properties = stream.cuda->properties();
  const Precision precision = stream.options.precision;
  Choice choice;
  std::optional<AttentionLayout> layout;
  if (stream.options.form != RecurrentForm::kStepwise) {
    layout = AttentionClusterLayout(pass, shape, precision, properties);
    choice.cluster = layout.has_value() && AttentionClusterRuns(pass, *layout);
  }
  if (!choice.cluster) {
    layout = AttentionPlainLayout(pass, shape, precision, properties);
  }
  if (!layout.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "attention of ", shape.n, " units over ", shape.window,
        " events does not fit the shared memory of ", properties.name));
  }
  choice.layout = *layout;
  LogChoice(pass, shape, choice);
  return choice;
}

AttentionShape ShapeOf(const RaggedLayout& ragged, const TensorView& c,
                       int window) {
  return {.rows = ragged.rows, .n = c.shape[1], .window = window};
}

AttentionBatch BatchOf(const RaggedLayout& ragged, const Choice& choice,
                       int64_t n, int window, const AttentionFolded& folded,
                       const TensorView& score) {
  return {.layout = choice.layout,
          .batch_sizes = ragged.batch_sizes.data<int32_t>(),
          .step_begin = ragged.step_begin.data<int32_t>(),
          .steps = static_cast<int>(ragged.steps()),
          .n = static_cast<int>(n),
          .window = window,
          .wide = folded.wide,
          .narrow = folded.narrow,
          .score = score.data<float>()};
}

}  // namespace

absl::Status AttentionForward(const Stream& stream,
                              const AttentionForwardArgs& args) {
  CONTINUO_CHECK(args.window >= 1 &&
                 args.probabilities.shape[1] == args.window);
  const int64_t events = args.c.shape[0];
  const int64_t n = args.c.shape[1];
  const AttentionShape shape = ShapeOf(args.ragged, args.c, args.window);
  if (args.ragged.steps() == 0 || shape.rows == 0) return absl::OkStatus();
  CONTINUO_CHECK(args.scratch.num_elements() >=
                 AttentionScratch(events, n, args.x.shape[1]));
  absl::StatusOr<Choice> choice =
      Choose(stream, AttentionPass::kForward, shape);
  if (!choice.ok()) return choice.status();
  AttentionFolded folded;
  CONTINUO_RETURN_IF_ERROR(FoldAttention(stream, AttentionPass::kForward,
                                         args.weights, choice->layout, n,
                                         args.scratch, &folded));
  CONTINUO_RETURN_IF_ERROR(gpu::Gemm(stream, {.a = args.x,
                                              .b = args.weights.x_to_gates,
                                              .bias = args.weights.gates_bias,
                                              .c = args.gates}));
  const AttentionBatch batch =
      BatchOf(args.ragged, *choice, n, args.window, folded, args.weights.score);
  CONTINUO_RETURN_IF_ERROR(WithPrecision(
      stream.options.precision, [&]<Precision kPrecision>() -> absl::Status {
        using Gate = AttentionGate<kPrecision>;
        const auto data = [](const TensorView& view) {
          return view.data<float>();
        };
        const AttentionForwardParams<Gate> params = {
            .batch = batch,
            .query_bias = data(args.weights.query_bias),
            .out_bias = data(args.weights.out_bias),
            .projected_bias = folded.projected_bias,
            .gates = Data<Gate>(args.gates),
            .c = data(args.c),
            .h = data(args.h),
            .query = data(args.query),
            .probabilities = data(args.probabilities),
            .attention = data(args.attention),
            .out = data(args.out),
            .projected = data(args.projected),
            .window_states = data(args.window_states),
            .window_projected = data(args.window_projected)};
        if (choice->cluster) {
          return LaunchForwardCluster<kPrecision>(stream, shape.rows, params);
        }
        return LaunchPlain(stream, AttentionForwardKernel<kPrecision, 0>,
                           shape.rows, params);
      }));
  // x' = x + a_prev K1a
  ShiftEventsKernel<<<GridSize(events * 32, kThreads), kThreads, 0,
                      stream.cuda->stream()>>>(
      args.attention.data<float>(), args.ragged.step_begin.data<int32_t>(),
      static_cast<int>(args.ragged.steps()), events, static_cast<int>(n),
      folded.rest);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return gpu::Gemm(stream, {.a = TensorView(folded.rest, {events, n}),
                            .b = args.weights.attention_to_x,
                            .c = args.x,
                            .accumulate = true});
}

absl::Status AttentionBackward(const Stream& stream,
                               const AttentionBackwardArgs& args) {
  CONTINUO_CHECK(args.window >= 1 &&
                 args.probabilities.shape[1] == args.window);
  const int64_t n = args.c.shape[1];
  const AttentionShape shape = ShapeOf(args.ragged, args.c, args.window);
  if (args.ragged.steps() == 0 || shape.rows == 0) return absl::OkStatus();
  absl::StatusOr<Choice> choice =
      Choose(stream, AttentionPass::kBackward, shape);
  if (!choice.ok()) return choice.status();
  AttentionFolded folded;
  CONTINUO_RETURN_IF_ERROR(FoldAttention(stream, AttentionPass::kBackward,
                                         args.forward, choice->layout, n,
                                         args.scratch, &folded));
  const AttentionBatch batch =
      BatchOf(args.ragged, *choice, n, args.window, folded, args.score);
  CONTINUO_RETURN_IF_ERROR(WithPrecision(
      stream.options.precision, [&]<Precision kPrecision>() -> absl::Status {
        using Gate = AttentionGate<kPrecision>;
        const auto data = [](const TensorView& view) {
          return view.data<float>();
        };
        const AttentionBackwardParams<Gate> params = {
            .batch = batch,
            .gates = Data<Gate>(args.gates),
            .c = data(args.c),
            .query = data(args.query),
            .probabilities = data(args.probabilities),
            .out = data(args.out),
            .projected = data(args.projected),
            .dout = data(args.dout),
            .dprojected = data(args.dprojected),
            .dv = data(args.dv),
            .window_states = data(args.window_states),
            .window_projected = data(args.window_projected),
            .window_dstates = data(args.window_dstates),
            .window_dprojected = data(args.window_dprojected)};
        if (choice->cluster) {
          return LaunchBackwardCluster<kPrecision>(stream, shape.rows, params);
        }
        return LaunchPlain(stream, AttentionBackwardKernel<kPrecision, 0>,
                           shape.rows, params);
      }));
  const dim3 score_block(kScoreUnits, kScoreParts);
  SumScoreKernel<<<static_cast<unsigned>(CeilDiv(n, kScoreUnits)), score_block,
                   0, stream.cuda->stream()>>>(
      args.dv.data<float>(), args.ragged.batch_sizes.data<int32_t>(),
      static_cast<int>(n), args.dscore.data<float>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  CONTINUO_RETURN_IF_ERROR(gpu::Gemm(stream, {.a = args.dprojected,
                                              .b = args.weights.project,
                                              .c = args.dout,
                                              .accumulate = true}));
  return gpu::Gemm(
      stream, {.a = args.gates, .b = args.weights.x_to_gates, .c = args.dx});
}

}  // namespace continuo::gpu
