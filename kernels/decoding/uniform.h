// SPDX-License-Identifier: Apache-2.0

// The uniform numbers that samples are drawn with.

#ifndef CONTINUO_KERNELS_DECODING_UNIFORM_H_
#define CONTINUO_KERNELS_DECODING_UNIFORM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kernels/common/dispatch.h"
#include "runtime/base/random.h"
#include "runtime/device/tensor.h"

namespace continuo {

// The low word of a draw's counter tells hypotheses and heads apart, so that an
// output's first hypothesis draws the same numbers whatever the beam size.
inline constexpr int kMaxUniformHeads = 16;

// The number for event `step` of an output, a hypothesis of its beam and a
// head.
CONTINUO_HOST_DEVICE inline double SampleUniform(uint64_t seed, uint64_t output,
                                                 int64_t step,
                                                 int64_t hypothesis, int head) {
  const uint64_t low = static_cast<uint64_t>(hypothesis) * kMaxUniformHeads +
                       static_cast<uint64_t>(head);
  return RandomDouble(seed, RandomPurpose::kSample, output,
                      (static_cast<uint64_t>(step) << 32) | low);
}

// The numbers of T steps. Rows are `prefixes` that draw nothing, then the
// hypotheses of the S searches, in order.
struct DrawUniformsArgs {
  uint64_t seed = 0;
  int64_t prefixes = 0;
  int64_t hypotheses = 1;  // of a search
  TensorView output;       // [S] uint64
  TensorView step;         // [S] int64, of the first of the T steps
  TensorView u;            // out [T, rows, heads] double; 0 for prefixes
};
CONTINUO_OPERATION(DrawUniforms);

}  // namespace continuo

#endif  // CONTINUO_KERNELS_DECODING_UNIFORM_H_
