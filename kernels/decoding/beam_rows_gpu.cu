// SPDX-License-Identifier: Apache-2.0

// One thread a row; bound by the latency of a launch.

#include "kernels/common/launch.cuh"
#include "kernels/decoding/beam_rows.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 128;

__global__ void AddScoresKernel(const double* log_p, int64_t steps,
                                int64_t rows, double* scores) {
  const int64_t row = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  double score = scores[row];
  for (int64_t t = 0; t < steps; ++t) score += log_p[t * rows + row];
  scores[row] = score;
}

__global__ void BeamRowsKernel(int64_t prefixes, int64_t hypotheses,
                               const int32_t* kept, int64_t keep,
                               const int32_t* ending, const int32_t* stay,
                               int64_t count, int32_t* source) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  int64_t row = stay != nullptr ? stay[i] : i;
  const int64_t hypothesis = row - prefixes;
  const int64_t search = hypothesis / hypotheses;
  if (hypothesis >= 0 && ending[search] != 0) {
    row = prefixes + search * hypotheses +
          kept[search * keep + hypothesis % hypotheses % keep];
  }
  source[i] = static_cast<int32_t>(row);
}

unsigned Blocks(int64_t rows) {
  return static_cast<unsigned>(CeilDiv(rows, kThreads));
}

}  // namespace

absl::Status AddScores(const Stream& stream, const AddScoresArgs& args) {
  const int64_t steps = args.log_p.shape[0];
  const int64_t rows = args.log_p.shape[1];
  CONTINUO_CHECK(args.scores.num_elements() == rows);
  if (steps == 0 || rows == 0) return absl::OkStatus();
  AddScoresKernel<<<Blocks(rows), kThreads, 0, stream.cuda->stream()>>>(
      args.log_p.data<double>(), steps, rows, args.scores.data<double>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

absl::Status BeamRows(const Stream& stream, const BeamRowsArgs& args) {
  const int64_t rows = args.prefixes + args.kept.shape[0] * args.hypotheses;
  const int64_t count = args.source.shape[0];
  CONTINUO_CHECK(count == (args.keep ? args.keep.shape[0] : rows));
  if (count == 0) return absl::OkStatus();
  BeamRowsKernel<<<Blocks(count), kThreads, 0, stream.cuda->stream()>>>(
      args.prefixes, args.hypotheses, args.kept.data<int32_t>(),
      args.kept.shape[1], args.ending.data<int32_t>(),
      args.keep.data<int32_t>(), count, args.source.data<int32_t>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
