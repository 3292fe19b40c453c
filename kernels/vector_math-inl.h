// Elementwise functions on vectors, for inclusion once per instruction set.

#if defined(CONTINUO_KERNELS_VECTOR_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONTINUO_KERNELS_VECTOR_MATH_INL_H_
#undef CONTINUO_KERNELS_VECTOR_MATH_INL_H_
#else
#define CONTINUO_KERNELS_VECTOR_MATH_INL_H_
#endif

#include <cstdint>

#include "hwy/contrib/math/math-inl.h"
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

template <class D, class V = hn::Vec<D>>
HWY_INLINE V VectorExp(D d, V x) {
  return hn::Exp(d, x);
}

// 1 / (1 + exp(-x)).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V VectorSigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, VectorExp(d, hn::Neg(x))));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V VectorTanh(D d, V x) {
  return hn::Tanh(d, x);
}

}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
