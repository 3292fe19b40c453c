// SPDX-License-Identifier: Apache-2.0

// Elementwise functions on vectors, for inclusion once per instruction set.

#if defined(CONTINUO_KERNELS_COMMON_VECTOR_MATH_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CONTINUO_KERNELS_COMMON_VECTOR_MATH_INL_H_
#undef CONTINUO_KERNELS_COMMON_VECTOR_MATH_INL_H_
#else
#define CONTINUO_KERNELS_COMMON_VECTOR_MATH_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Calls fn(d, i) for i = 0, lanes, 2 lanes ... while whole vectors fit in n,
// then with a tag of one lane for the rest. The same instructions compute both,
// so an element's bits do not depend on its place.
template <typename Fn>
HWY_INLINE void ForEachVector(int64_t n, const Fn& fn) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) fn(d, i);
  for (; i < n; ++i) fn(hn::CappedTag<float, 1>(), i);
}

// Calls fn(tag, count, i) for runs of kVectors vectors (count is the constant
// kVectors), then of one vector, then of one lane, that together cover n.
template <int kVectors, typename Fn>
HWY_INLINE void ForEachRun(int64_t n, const Fn& fn) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + kVectors * lanes <= n; i += kVectors * lanes) {
    fn(d, std::integral_constant<int, kVectors>(), i);
  }
  for (; i + lanes <= n; i += lanes) {
    fn(d, std::integral_constant<int, 1>(), i);
  }
  for (; i < n; ++i) {
    fn(hn::CappedTag<float, 1>(), std::integral_constant<int, 1>(), i);
  }
}

// The sum of the lanes of `v`: the upper half is added to the lower one until
// one lane is left. hn::SumOfLanes promises no order, and releases of the
// library differ in it.
template <class D, class V = hn::Vec<D>>
HWY_INLINE float AddLanes(D /*d*/, V v) {
#if HWY_TARGET == HWY_SCALAR
  return hn::GetLane(v);
#else
  if constexpr (hn::MaxLanes(D()) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return AddLanes(half,
                    hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
#endif
}

// out += x, n elements.
HWY_INLINE void AddRow(int64_t n, const float* x, float* out) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, out + i), hn::LoadU(d, x + i)), d, out + i);
  });
}

// t within +-bound; not-a-number stays itself.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Clamp(D d, V t, float bound) {
  const V high = hn::Set(d, bound);
  const V low = hn::Set(d, -bound);
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
  t = hn::IfThenElse(hn::Lt(high, t), high, t);
  return hn::IfThenElse(hn::Lt(t, low), low, t);
#else
  // These instruction sets return the second operand if one is not a number,
  // or not-a-number if either is.
  return hn::Max(low, hn::Min(high, t));
#endif
}

// 2^t: t = n + f with n whole and |f| <= 1/2, 2^f by a polynomial, n added to
// the exponent. Relative error 1.5e-7 (of the polynomial 9.2e-8, a minimax fit
// with p(0) = 1). Beyond +-126 the result is that of the bound; not-a-number
// stays itself, because it is the second operand of Min and Max.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V VectorExp2(D d, V t) {
  const hn::RebindToSigned<D> di;
  t = Clamp(d, t, 126.0f);
  // Adding 1.5 * 2^23 rounds to a whole number, which then is in the low bits.
  const V magic = hn::Set(d, 12582912.0f);
  const V shifted = hn::Add(t, magic);
  const V f = hn::Sub(t, hn::Sub(shifted, magic));
  V p = hn::Set(d, 1.32647273e-3f);
  p = hn::MulAdd(p, f, hn::Set(d, 9.67151299e-3f));
  p = hn::MulAdd(p, f, hn::Set(d, 5.55073358e-2f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.240222424f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.693147004f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0f));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, p),
                                hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

// exp(x), for sums that are dominated by arguments near 0 (a softmax): the
// relative error grows with |x| as that of the rounded x / ln 2 does.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V VectorExp(D d, V x) {
  return VectorExp2(d, hn::Mul(x, hn::Set(d, 1.44269504f)));
}

// 1 / (1 + exp(-x)), absolute error below 1.5e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V VectorSigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(
      one, hn::Add(one, VectorExp2(d, hn::Mul(x, hn::Set(d, -1.44269504f)))));
}

// 1 - 2 / (1 + exp(2 x)), absolute error below 2.5e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V VectorTanh(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V e = VectorExp2(d, hn::Mul(x, hn::Set(d, 2.88539008f)));
  return hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(one, e)));
}

}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
