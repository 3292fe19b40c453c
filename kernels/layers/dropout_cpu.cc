// SPDX-License-Identifier: Apache-2.0

// Bound by the integer arithmetic of Philox: 60 multiplications for 4 units.
// Vectors compute one block per lane.

#include <algorithm>
#include <cmath>

#include "kernels/common/parallel_for.h"
#include "kernels/gemm/packing.h"
#include "kernels/layers/dropout.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layers/dropout_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that the numbers of one vector of blocks fit a buffer.
using D = hn::CappedTag<uint32_t, 16>;
constexpr int64_t kMaxNumbers = 4 * 16;

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Numbers of blocks [index, index + Lanes) of RandomBlock, in order.
HWY_INLINE void RandomNumbers(uint64_t seed, uint64_t step, uint64_t index,
                              uint32_t* numbers) {
  for (size_t lane = 0; lane < hn::Lanes(D()); ++lane) {
    const Philox4 block =
        RandomBlock(seed, RandomPurpose::kDropout, step, index + lane);
    std::copy(block.v, block.v + 4, numbers + 4 * lane);
  }
}

#else

// The halves of a * multiplier.
HWY_INLINE void WideMul(hn::Vec<D> a, hn::Vec<D> multiplier, hn::Vec<D>* high,
                        hn::Vec<D>* low) {
  const D d;
  const hn::RepartitionToWide<D> wide;
  const auto even = hn::MulEven(a, multiplier);
  const auto odd = hn::MulEven(
      hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), multiplier);
  *high = hn::OddEven(hn::BitCast(d, odd),
                      hn::BitCast(d, hn::ShiftRight<32>(even)));
  *low =
      hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
}

// Numbers of blocks [index, index + Lanes) of RandomBlock, in order.
HWY_INLINE void RandomNumbers(uint64_t seed, uint64_t step, uint64_t index,
                              uint32_t* numbers) {
  const D d;
  // A block index never carries into the high word within one vector: rows
  // begin at multiples of 4096 blocks.
  hn::Vec<D> c0 =
      hn::Add(hn::Set(d, static_cast<uint32_t>(index)), hn::Iota(d, 0));
  hn::Vec<D> c1 = hn::Set(d, static_cast<uint32_t>(index >> 32));
  hn::Vec<D> c2 = hn::Set(d, static_cast<uint32_t>(step));
  hn::Vec<D> c3 = hn::Set(d, static_cast<uint32_t>(RandomPurpose::kDropout) ^
                                 (static_cast<uint32_t>(step >> 32) << 8));
  uint32_t k0 = static_cast<uint32_t>(seed);
  uint32_t k1 = static_cast<uint32_t>(seed >> 32);
  const auto multiplier0 = hn::Set(d, 0xD2511F53u);
  const auto multiplier1 = hn::Set(d, 0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    hn::Vec<D> high0, low0, high1, low1;
    WideMul(c0, multiplier0, &high0, &low0);
    WideMul(c2, multiplier1, &high1, &low1);
    c0 = hn::Xor(high1, hn::Xor(c1, hn::Set(d, k0)));
    c2 = hn::Xor(high0, hn::Xor(c3, hn::Set(d, k1)));
    c1 = low1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  hn::StoreInterleaved4(c0, c1, c2, c3, d, numbers);
}

#endif

// One row at one time step. Numbers up to `highest` keep their unit.
void DropRow(uint64_t seed, uint64_t step, uint64_t index, uint32_t highest,
             float scale, int64_t n, const float* x, float* out) {
  HWY_ALIGN uint32_t numbers[kMaxNumbers];
  const int64_t each = 4 * static_cast<int64_t>(hn::Lanes(D()));
  for (int64_t k = 0; k < n; k += each) {
    RandomNumbers(seed, step, index + k / 4, numbers);
    const int64_t count = std::min(each, n - k);
    for (int64_t i = 0; i < count; ++i) {
      out[k + i] = numbers[i] <= highest ? x[k + i] * scale : 0.0f;
    }
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {

HWY_EXPORT(DropRow);

// Index of the first block of four numbers of a row at a time step.
uint64_t BlockIndex(int layer, uint64_t source, uint64_t t) {
  return static_cast<uint64_t>(layer) << 56 | source << 36 | t << 12;
}

}  // namespace

absl::Status Dropout(const Stream& stream, const DropoutArgs& args) {
  const int64_t n = args.x.shape[1];
  const int64_t steps = args.ragged.steps();
  const int32_t* batch_sizes = args.ragged.batch_sizes.data<int32_t>();
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  const int32_t* source = args.source.data<int32_t>();
  // The counter's fields: 8 bits of layer, 20 of row, 24 of time, 12 of unit.
  CONTINUO_CHECK(args.layer < 1 << 8 && n <= 4 << 12);
  CONTINUO_CHECK(args.first_step + steps < 1 << 24);
  CONTINUO_CHECK(args.source.shape[0] < 1 << 20);
  CONTINUO_CHECK(args.keep_prob > 0 && args.keep_prob <= 1);
  const float* x = args.x.data<float>();
  float* out = args.out.data<float>();
  const double kept = std::ldexp(args.keep_prob, 32);  // of 2^32 numbers
  const uint32_t highest = static_cast<uint32_t>(std::max(kept, 1.0) - 1);
  const float scale = static_cast<float>(1.0 / args.keep_prob);
  const uint64_t step = *args.step.data<uint64_t>();
  ParallelFor(stream, steps, [&](int64_t t, int) {
    for (int64_t row = 0; row < batch_sizes[t]; ++row) {
      const int64_t at = (step_begin[t] + row) * n;
      HWY_DYNAMIC_DISPATCH(DropRow)
      (args.seed, step,
       BlockIndex(args.layer, source[row], args.first_step + t), highest, scale,
       n, x + at, out + at);
    }
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
#endif  // HWY_ONCE
