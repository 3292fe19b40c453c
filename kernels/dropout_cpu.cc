#include <algorithm>
#include <cmath>

#include "kernels/dropout.h"
#include "kernels/parallel.h"
#include "runtime/log.h"
#include "runtime/random.h"

namespace continuo::cpu {
namespace {

// Index of the first block of four numbers of a row at a time step.
uint64_t BlockIndex(int layer, uint64_t source, uint64_t t) {
  return static_cast<uint64_t>(layer) << 56 | source << 36 | t << 12;
}

}  // namespace

absl::Status Dropout(const Stream& stream, const DropoutArgs& args) {
  const int64_t n = args.x.shape[1];
  const int64_t steps = args.schedule.steps();
  const int32_t* alive = args.schedule.alive.data<int32_t>();
  const int32_t* step_begin = args.schedule.step_begin.data<int32_t>();
  const int32_t* source = args.source.data<int32_t>();
  // The counter's fields: 8 bits of layer, 20 of row, 24 of time, 12 of unit.
  CONTINUO_CHECK(args.layer < 1 << 8 && n <= 4 << 12 && steps < 1 << 24);
  CONTINUO_CHECK(args.source.shape[0] < 1 << 20);
  CONTINUO_CHECK(args.keep_prob > 0 && args.keep_prob <= 1);
  const float* x = args.x.data<float>();
  float* out = args.out.data<float>();
  // Numbers below the threshold keep their unit.
  const uint64_t threshold =
      static_cast<uint64_t>(std::ldexp(args.keep_prob, 32));
  const float scale = static_cast<float>(1.0 / args.keep_prob);
  ParallelFor(stream, steps, [&](int64_t t, int) {
    for (int64_t row = 0; row < alive[t]; ++row) {
      const int64_t at = (step_begin[t] + row) * n;
      const uint64_t index = BlockIndex(args.layer, source[row], t);
      for (int64_t k = 0; k < n; k += 4) {
        const Philox4 block = RandomBlock(args.seed, RandomPurpose::kDropout,
                                          args.step, index + k / 4);
        for (int64_t i = 0; i < std::min<int64_t>(4, n - k); ++i) {
          out[at + k + i] =
              block.v[i] < threshold ? x[at + k + i] * scale : 0.0f;
        }
      }
    }
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
