// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "kernels/common/parallel_for.h"
#include "kernels/decoding/uniform.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/log.h"

namespace continuo::cpu {
namespace {

constexpr int64_t kNumbersPerTask = 2048;  // some 50 us

}  // namespace

absl::Status DrawUniforms(const Stream& stream, const DrawUniformsArgs& args) {
  const int64_t rows = args.u.shape[1];
  const int64_t heads = args.u.shape[2];
  const int64_t count = args.u.num_elements();
  CONTINUO_CHECK(rows ==
                     args.prefixes + args.output.shape[0] * args.hypotheses &&
                 heads <= kMaxUniformHeads);
  const uint64_t* output = args.output.data<uint64_t>();
  const int64_t* step = args.step.data<int64_t>();
  double* u = args.u.data<double>();
  ParallelFor(stream, CeilDiv(count, kNumbersPerTask), [&](int64_t task, int) {
    const int64_t end = std::min(count, (task + 1) * kNumbersPerTask);
    for (int64_t i = task * kNumbersPerTask; i < end; ++i) {
      const int64_t hypothesis = i / heads % rows - args.prefixes;
      const int64_t search = hypothesis / args.hypotheses;
      u[i] = hypothesis < 0 ? 0
                            : SampleUniform(args.seed, output[search],
                                            step[search] + i / (heads * rows),
                                            hypothesis % args.hypotheses,
                                            static_cast<int>(i % heads));
    }
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
