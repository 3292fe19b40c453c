// SPDX-License-Identifier: Apache-2.0

// Bound by latency: a warp takes a row, and the sums over the classes of a head
// are chains of additions in the order of the CPU form, two of them (five with
// top_k or top_p), so that the same logits give the same class. At some 8
// cycles an addition that is under 1 us for 38 classes and 4 us for 388,
// whatever the number of rows up to a few thousand. All lanes add the same
// chain, reading the same word of shared memory; exponentials, divisions and
// comparisons are shared out.

#include <algorithm>
#include <cmath>

#include "kernels/common/launch.cuh"
#include "kernels/common/launch_shapes.h"
#include "kernels/common/warp.cuh"
#include "kernels/decoding/sampling.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kMaxHeads = 32;

struct Heads {
  int count = 0;
  int largest = 0;
  int sizes[kMaxHeads] = {};
};

struct Arrays {
  const float* logits;
  const double* u;
  const int64_t* teacher_forced;
  int64_t* choice;
  double* log_p;
  double* probabilities;
  int32_t* bad_row;
  int64_t rows;
  int64_t width;
};

// A warp's shared memory for a head (MakeSampleShape).
struct Scratch {
  double* p;       // softmax
  double* weight;  // what is drawn from, then its running sums
  int* order;      // classes, most probable first
};

__device__ double SumInOrder(const double* x, int n) {
  double sum = 0;
#pragma unroll 4
  for (int i = 0; i < n; ++i) sum += x[i];
  return sum;
}

// softmax(logits / temperature) into p; false if not finite.
__device__ bool Softmax(const float* logits, int n, double temperature,
                        int lane, double* p) {
  float largest = -INFINITY;
  for (int i = lane; i < n; i += kWarp) largest = fmaxf(largest, logits[i]);
  largest = WarpMax(largest);
  for (int i = lane; i < n; i += kWarp) {
    p[i] = exp((static_cast<double>(logits[i]) - largest) / temperature);
  }
  __syncwarp();
  const double total = SumInOrder(p, n);
  __syncwarp();
  if (!isfinite(total)) return false;
  for (int i = lane; i < n; i += kWarp) p[i] /= total;
  __syncwarp();
  return true;
}

// Sets the weights of the classes that top_k and top_p leave out to zero.
__device__ void Truncate(int top_k, double top_p, int n, int lane,
                         const Scratch& scratch) {
  double* const weight = scratch.weight;
  for (int i = lane; i < n; i += kWarp) {
    const double mine = weight[i];
    int before = 0;
    for (int j = 0; j < n; ++j) {
      before += weight[j] > mine || (weight[j] == mine && j < i) ? 1 : 0;
    }
    scratch.order[before] = i;
  }
  __syncwarp();
  int kept = top_k > 0 ? min(top_k, n) : n;
  if (top_p < 1) {
    double available = 0;
    for (int i = 0; i < kept; ++i) available += weight[scratch.order[i]];
    double reached = 0;
    int needed = 0;
    while (needed < kept && (needed == 0 || reached < top_p * available)) {
      reached += weight[scratch.order[needed++]];
    }
    kept = needed;
  }
  __syncwarp();
  for (int i = kept + lane; i < n; i += kWarp) weight[scratch.order[i]] = 0;
  __syncwarp();
}

// The first class whose cumulative share exceeds u. The share of the last class
// with a weight is 1, so that there is one.
__device__ int Draw(double* weight, int n, double u, int lane) {
  double sum = 0;
  for (int begin = 0; begin < n; begin += kWarp) {
    const int count = min(n - begin, kWarp);
    double mine = 0;
#pragma unroll 4
    for (int i = 0; i < count; ++i) {
      sum += weight[begin + i];
      if (i == lane) mine = sum;
    }
    __syncwarp();
    if (lane < count) weight[begin + lane] = mine;
  }
  for (int begin = 0; begin < n; begin += kWarp) {
    const int i = begin + lane;
    const bool exceeds = i < n && weight[i] / sum > u;
    const unsigned lanes = __ballot_sync(kAllLanes, exceeds);
    if (lanes != 0) return begin + __ffs(static_cast<int>(lanes)) - 1;
  }
  return n - 1;
}

__global__ void SampleKernel(Arrays a, Heads heads, double temperature,
                             int top_k, double top_p) {
  extern __shared__ double shared[];
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t row = int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
  if (row >= a.rows) return;
  double* const doubles = shared + threadIdx.y * 2 * heads.largest;
  const Scratch scratch = {
      .p = doubles,
      .weight = doubles + heads.largest,
      .order = reinterpret_cast<int*>(shared + blockDim.y * 2 * heads.largest) +
               threadIdx.y * heads.largest};
  int64_t begin = row * a.width;
  double log_p = 0;
  bool good = true;
  for (int head = 0; head < heads.count && good; ++head) {
    const int n = heads.sizes[head];
    good = Softmax(a.logits + begin, n, temperature, lane, scratch.p);
    if (!good) break;
    if (a.probabilities != nullptr) {
      for (int i = lane; i < n; i += kWarp) {
        a.probabilities[begin + i] = scratch.p[i];
      }
    }
    const int64_t slot = row * heads.count + head;
    int64_t choice = a.teacher_forced != nullptr ? a.teacher_forced[slot] : -1;
    if (choice < 0) {
      for (int i = lane; i < n; i += kWarp) scratch.weight[i] = scratch.p[i];
      __syncwarp();
      if (top_k > 0 || top_p < 1) Truncate(top_k, top_p, n, lane, scratch);
      choice = Draw(scratch.weight, n, a.u[slot], lane);
    }
    if (lane == 0) a.choice[slot] = choice;
    log_p += log(scratch.p[choice]);
    begin += n;
    __syncwarp();
  }
  if (lane != 0) return;
  if (good) {
    a.log_p[row] = log_p;
    return;
  }
  for (int head = 0; head < heads.count; ++head) {
    a.choice[row * heads.count + head] = 0;
  }
  a.log_p[row] = NAN;
  if (a.bad_row != nullptr) atomicMin(a.bad_row, static_cast<int>(row));
}

}  // namespace

absl::Status Sample(const Stream& stream, const SampleArgs& args) {
  const int64_t rows = args.logits.shape[0];
  const int64_t width = args.logits.shape[1];
  Heads heads;
  int64_t classes = 0;
  CONTINUO_CHECK(args.head_sizes.size() <= kMaxHeads);
  for (const int size : args.head_sizes) {
    heads.sizes[heads.count++] = size;
    heads.largest = std::max(heads.largest, size);
    classes += size;
  }
  CONTINUO_CHECK(classes == width && args.sampling.temperature > 0);
  if (rows == 0) return absl::OkStatus();
  const Arrays arrays = {.logits = args.logits.data<float>(),
                         .u = args.u.data<double>(),
                         .teacher_forced = args.teacher_forced.data<int64_t>(),
                         .choice = args.choice.data<int64_t>(),
                         .log_p = args.log_p.data<double>(),
                         .probabilities = args.probabilities.data<double>(),
                         .bad_row = args.bad_row.data<int32_t>(),
                         .rows = rows,
                         .width = width};
  const SampleShape shape =
      MakeSampleShape(stream.cuda->properties(), heads.largest);
  CONTINUO_CHECK(shape.warps > 0);
  if (shape.shared_bytes > kSharedWithoutAsking) {
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaFuncSetAttribute(
        SampleKernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        static_cast<int>(shape.shared_bytes)));
  }
  SampleKernel<<<static_cast<unsigned>(CeilDiv(rows, shape.warps)),
                 dim3(kWarp, static_cast<unsigned>(shape.warps)),
                 static_cast<size_t>(shape.shared_bytes),
                 stream.cuda->stream()>>>(
      arrays, heads, args.sampling.temperature, args.sampling.top_k,
      args.sampling.top_p);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
