// SPDX-License-Identifier: Apache-2.0

// Uniform numbers, one a thread: bound by the 20 multiplications of a Philox
// block for each 8 bytes written.

#include "kernels/common/launch.cuh"
#include "kernels/decoding/uniform.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 128;

__global__ void DrawUniformsKernel(uint64_t seed, int64_t prefixes,
                                   int64_t hypotheses, const uint64_t* output,
                                   const int64_t* step, int64_t rows,
                                   int64_t heads, int64_t count, double* u) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int64_t hypothesis = i / heads % rows - prefixes;
  const int64_t search = hypothesis / hypotheses;
  u[i] = hypothesis < 0
             ? 0.0
             : SampleUniform(
                   seed, output[search], step[search] + i / (heads * rows),
                   hypothesis % hypotheses, static_cast<int>(i % heads));
}

}  // namespace

absl::Status DrawUniforms(const Stream& stream, const DrawUniformsArgs& args) {
  const int64_t rows = args.u.shape[1];
  const int64_t heads = args.u.shape[2];
  const int64_t count = args.u.num_elements();
  CONTINUO_CHECK(rows ==
                     args.prefixes + args.output.shape[0] * args.hypotheses &&
                 heads <= kMaxUniformHeads);
  if (count == 0) return absl::OkStatus();
  DrawUniformsKernel<<<static_cast<unsigned>(CeilDiv(count, kThreads)),
                       kThreads, 0, stream.cuda->stream()>>>(
      args.seed, args.prefixes, args.hypotheses, args.output.data<uint64_t>(),
      args.step.data<int64_t>(), rows, heads, count, args.u.data<double>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
