// SPDX-License-Identifier: Apache-2.0

// The LSTM cell of one row, for inclusion once per instruction set.

#if defined(CONTINUO_KERNELS_LSTM_GATES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONTINUO_KERNELS_LSTM_GATES_INL_H_
#undef CONTINUO_KERNELS_LSTM_GATES_INL_H_
#else
#define CONTINUO_KERNELS_LSTM_GATES_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "kernels/common/vector_math-inl.h"
#include "kernels/lstm/lstm.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// gates [4n]: z in, activated out. c_prev may be null (zeros).
HWY_INLINE void CellForward(int64_t n, float* HWY_RESTRICT gates,
                            const float* c_prev, float* c, float* h) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto input = VectorSigmoid(d, hn::LoadU(d, gates + i));
    const auto candidate = VectorTanh(d, hn::LoadU(d, gates + n + i));
    const auto forget = VectorSigmoid(
        d, hn::Add(hn::LoadU(d, gates + 2 * n + i), hn::Set(d, kForgetBias)));
    const auto output = VectorSigmoid(d, hn::LoadU(d, gates + 3 * n + i));
    auto cell = hn::Mul(input, candidate);
    if (c_prev != nullptr) {
      cell = hn::MulAdd(hn::LoadU(d, c_prev + i), forget, cell);
    }
    hn::StoreU(input, d, gates + i);
    hn::StoreU(candidate, d, gates + n + i);
    hn::StoreU(forget, d, gates + 2 * n + i);
    hn::StoreU(output, d, gates + 3 * n + i);
    hn::StoreU(cell, d, c + i);
    hn::StoreU(hn::Mul(VectorTanh(d, cell), output), d, h + i);
  });
}

// gates [4n]: activated in, gradient of z out. dc [n]: gradient of c from the
// next step in, of c_prev out.
HWY_INLINE void CellBackward(int64_t n, float* HWY_RESTRICT gates,
                             const float* c_prev, const float* c,
                             const float* dh, float* dc) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto one = hn::Set(d, 1.0f);
    const auto input = hn::LoadU(d, gates + i);
    const auto candidate = hn::LoadU(d, gates + n + i);
    const auto forget = hn::LoadU(d, gates + 2 * n + i);
    const auto output = hn::LoadU(d, gates + 3 * n + i);
    const auto tanh_c = VectorTanh(d, hn::LoadU(d, c + i));
    const auto dout = hn::LoadU(d, dh + i);
    // dc = dc + dh * o * (1 - tanh(c)^2)
    const auto dcell =
        hn::MulAdd(hn::Mul(dout, output), hn::NegMulAdd(tanh_c, tanh_c, one),
                   hn::LoadU(d, dc + i));
    const auto before =
        c_prev != nullptr ? hn::LoadU(d, c_prev + i) : hn::Zero(d);
    hn::StoreU(
        hn::Mul(hn::Mul(dcell, candidate), hn::NegMulAdd(input, input, input)),
        d, gates + i);
    hn::StoreU(hn::Mul(hn::Mul(dcell, input),
                       hn::NegMulAdd(candidate, candidate, one)),
               d, gates + n + i);
    hn::StoreU(
        hn::Mul(hn::Mul(dcell, before), hn::NegMulAdd(forget, forget, forget)),
        d, gates + 2 * n + i);
    hn::StoreU(
        hn::Mul(hn::Mul(dout, tanh_c), hn::NegMulAdd(output, output, output)),
        d, gates + 3 * n + i);
    hn::StoreU(hn::Mul(dcell, forget), d, dc + i);
  });
}

}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
