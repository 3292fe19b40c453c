// SPDX-License-Identifier: Apache-2.0

// Pruning is bound by comparisons, E^2 for a search: the place of a hypothesis
// is the number of hypotheses before it, which each thread counts for its own
// hypothesis. That needs no scratch and has one answer; for the 65,536
// hypotheses of the largest search it is 4e9 comparisons of doubles, 0.3 ms on
// 132 multiprocessors, and a block stops once none of its hypotheses can be
// kept.

#include <algorithm>

#include "kernels/common/launch.cuh"
#include "kernels/decoding/beam.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// Hypotheses [kThreads * blockIdx.x, ...) of search blockIdx.y.
__global__ void __launch_bounds__(kThreads)
    PruneKernel(const double* scores, int hypotheses, int keep, int32_t* kept) {
  __shared__ double others[kThreads];
  const int hypothesis = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  scores += int64_t{blockIdx.y} * hypotheses;
  const double mine = hypothesis < hypotheses ? scores[hypothesis] : 0;
  int place = hypothesis < hypotheses ? 0 : keep;
  for (int begin = 0; begin < hypotheses; begin += kThreads) {
    // All have read the tile before; the blocks whose hypotheses are all beaten
    // leave together.
    if (__syncthreads_or(place < keep) == 0) return;
    const int other = begin + static_cast<int>(threadIdx.x);
    if (other < hypotheses) others[threadIdx.x] = scores[other];
    __syncthreads();
    const int count = min(kThreads, hypotheses - begin);
#pragma unroll 8
    for (int i = 0; i < count; ++i) {
      const bool before =
          others[i] > mine || (others[i] == mine && begin + i < hypothesis);
      place += before ? 1 : 0;
    }
  }
  if (place < keep) kept[int64_t{blockIdx.y} * keep + place] = hypothesis;
}

__global__ void BranchKernel(const int32_t* kept, int64_t searches, int keep,
                             int width, int hypotheses, int32_t* source) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       i < searches * width; i += step) {
    const int64_t search = i / width;
    source[i] = static_cast<int32_t>(search * hypotheses) +
                kept[search * keep + i % width % keep];
  }
}

}  // namespace

absl::Status BeamPrune(const Stream& stream, const BeamPruneArgs& args) {
  const int64_t searches = args.scores.shape[0];
  const int64_t hypotheses = args.scores.shape[1];
  const int64_t keep = args.kept.shape[1];
  CONTINUO_CHECK(args.kept.shape[0] == searches && keep <= hypotheses);
  const double* scores = args.scores.data<double>();
  int32_t* kept = args.kept.data<int32_t>();
  // A grid has at most 65,535 blocks in its second dimension.
  constexpr int64_t kSearchesEach = 65'535;
  if (keep == 0) return absl::OkStatus();
  for (int64_t first = 0; first < searches; first += kSearchesEach) {
    const int64_t count = std::min(searches - first, kSearchesEach);
    const dim3 grid(static_cast<unsigned>(CeilDiv(hypotheses, kThreads)),
                    static_cast<unsigned>(count));
    PruneKernel<<<grid, kThreads, 0, stream.cuda->stream()>>>(
        scores + first * hypotheses, static_cast<int>(hypotheses),
        static_cast<int>(keep), kept + first * keep);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
  }
  return absl::OkStatus();
}

absl::Status BeamBranch(const Stream& stream, const BeamBranchArgs& args) {
  const int64_t searches = args.kept.shape[0];
  const int64_t keep = args.kept.shape[1];
  const int64_t width = args.source.shape[1];
  CONTINUO_CHECK(args.source.shape[0] == searches && width % keep == 0);
  if (searches * width == 0) return absl::OkStatus();
  BranchKernel<<<GridSize(searches * width, kThreads), kThreads, 0,
                 stream.cuda->stream()>>>(
      args.kept.data<int32_t>(), searches, static_cast<int>(keep),
      static_cast<int>(width), args.hypotheses, args.source.data<int32_t>());
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
