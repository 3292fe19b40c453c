// SPDX-License-Identifier: Apache-2.0

// Bound by memory, one read and one write of an element, as long as the 60
// integer multiplications for 4 elements hide behind them. A thread makes one
// block of four random numbers and moves its four elements.

#include <algorithm>
#include <cmath>

#include "kernels/common/vector_io.cuh"
#include "kernels/layers/dropout.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

struct Mask {
  uint64_t seed;
  uint64_t layer;
  uint64_t first_step;
  uint32_t highest;  // numbers up to this keep their unit
  float scale;
};

// Blocks [t * blocks_each, (t + 1) * blocks_each) work on step t. x and out may
// be the same.
template <bool kByFours>
__global__ void DropoutKernel(const int32_t* batch_sizes,
                              const int32_t* step_begin, const int32_t* source,
                              unsigned blocks_each, Mask mask,
                              const uint64_t* step, int64_t n, const float* x,
                              float* out) {
  const unsigned t = blockIdx.x / blocks_each;
  const unsigned i = blockIdx.x % blocks_each * kThreads + threadIdx.x;
  const unsigned quads = static_cast<unsigned>(CeilDiv(n, 4));
  const unsigned row = i / quads;
  const unsigned quad = i % quads;
  if (static_cast<int>(row) >= batch_sizes[t]) return;
  // The fields of the index are those of the CPU form.
  const uint64_t index = mask.layer << 56 |
                         static_cast<uint64_t>(source[row]) << 36 |
                         (mask.first_step + t) << 12 | quad;
  const Philox4 numbers =
      RandomBlock(mask.seed, RandomPurpose::kDropout, *step, index);
  const auto drop = [&](float value, int j) {
    return numbers.v[j] <= mask.highest ? value * mask.scale : 0.0f;
  };
  const int64_t at = (int64_t{step_begin[t]} + row) * n + 4 * int64_t{quad};
  if constexpr (kByFours) {
    const float4 v = Load4(x + at);
    Store4(out + at, {drop(v.x, 0), drop(v.y, 1), drop(v.z, 2), drop(v.w, 3)});
  } else {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (4 * int64_t{quad} + j < n) out[at + j] = drop(x[at + j], j);
    }
  }
}

}  // namespace

absl::Status Dropout(const Stream& stream, const DropoutArgs& args) {
  const int64_t n = args.x.shape[1];
  const int64_t steps = args.ragged.steps();
  const int64_t rows = args.ragged.rows;
  CONTINUO_CHECK(args.layer < 1 << 8 && n <= 4 << 12);
  CONTINUO_CHECK(args.first_step + steps < 1 << 24);
  CONTINUO_CHECK(rows <= args.source.shape[0] && rows < 1 << 20);
  CONTINUO_CHECK(args.keep_prob > 0 && args.keep_prob <= 1);
  if (steps == 0 || rows == 0 || n == 0) return absl::OkStatus();
  const double kept = std::ldexp(args.keep_prob, 32);  // of 2^32 numbers
  const Mask mask = {.seed = args.seed,
                     .layer = static_cast<uint64_t>(args.layer),
                     .first_step = static_cast<uint64_t>(args.first_step),
                     .highest = static_cast<uint32_t>(std::max(kept, 1.0) - 1),
                     .scale = static_cast<float>(1.0 / args.keep_prob)};
  const int64_t each = CeilDiv(rows * CeilDiv(n, 4), kThreads);
  const float* x = args.x.data<float>();
  float* out = args.out.data<float>();
  const bool by_fours = ByFours(x, n) && ByFours(out, n);
  const auto kernel = by_fours ? DropoutKernel<true> : DropoutKernel<false>;
  kernel<<<static_cast<unsigned>(steps * each), kThreads, 0,
           stream.cuda->stream()>>>(
      args.ragged.batch_sizes.data<int32_t>(),
      args.ragged.step_begin.data<int32_t>(), args.source.data<int32_t>(),
      static_cast<unsigned>(each), mask, args.step.data<uint64_t>(), n, x, out);
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace continuo::gpu
