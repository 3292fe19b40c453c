// The attention window of one row, forward and backward, for inclusion once
// per instruction set.

#if defined(CONTINUO_KERNELS_ATTEND_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONTINUO_KERNELS_ATTEND_INL_H_
#undef CONTINUO_KERNELS_ATTEND_INL_H_
#else
#define CONTINUO_KERNELS_ATTEND_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Where the filled slots of a row's window are: slot j (oldest first) is row
// slot_begin[j] + row of arrays with n columns.
struct Window {
  const int32_t* slot_begin;
  int64_t filled;  // slots in use; size - filled empty ones come before them
  int64_t size;    // A
};

// Sum of a[k] * b[k].
HWY_INLINE float Dot(int64_t n, const float* a, const float* b) {
  const hn::ScalableTag<float> d;
  auto sum = hn::Zero(d);
  float rest = 0;
  ForEachVector(n, [&](auto tag, int64_t i) HWY_ATTR {
    const auto x = hn::LoadU(tag, a + i);
    const auto y = hn::LoadU(tag, b + i);
    if constexpr (std::is_same_v<decltype(tag), hn::ScalableTag<float>>) {
      sum = hn::MulAdd(x, y, sum);
    } else {
      rest += hn::GetLane(hn::Mul(x, y));
    }
  });
  return hn::GetLane(hn::SumOfLanes(d, sum)) + rest;
}

// Sum over k of v[k] * tanh(projected[k] + query[k]); projected may be null
// (an empty slot).
HWY_INLINE float Score(int64_t n, const float* v, const float* projected,
                       const float* query) {
  const hn::ScalableTag<float> d;
  auto sum = hn::Zero(d);
  float rest = 0;
  ForEachVector(n, [&](auto tag, int64_t i) HWY_ATTR {
    auto x = hn::LoadU(tag, query + i);
    if (projected != nullptr) x = hn::Add(hn::LoadU(tag, projected + i), x);
    const auto y = VectorTanh(tag, x);
    const auto scale = hn::LoadU(tag, v + i);
    if constexpr (std::is_same_v<decltype(tag), hn::ScalableTag<float>>) {
      sum = hn::MulAdd(scale, y, sum);
    } else {
      rest += hn::GetLane(hn::Mul(scale, y));
    }
  });
  return hn::GetLane(hn::SumOfLanes(d, sum)) + rest;
}

// probabilities [size] = softmax of the scores, attention [n] = their sum of
// the states.
HWY_INLINE void AttendRow(int64_t n, const Window& window, int64_t row,
                          const float* v, const float* query,
                          const float* states, const float* projected,
                          float* probabilities, float* attention) {
  const int64_t empty = window.size - window.filled;
  if (empty > 0) {
    std::fill(probabilities, probabilities + empty,
              Score(n, v, nullptr, query));
  }
  float* const filled = probabilities + empty;
  for (int64_t j = 0; j < window.filled; ++j) {
    filled[j] =
        Score(n, v, projected + (window.slot_begin[j] + row) * n, query);
  }
  const float highest =
      *std::max_element(probabilities, probabilities + window.size);
  ForEachVector(window.size, [&](auto d, int64_t i) HWY_ATTR {
    const auto x = hn::LoadU(d, probabilities + i);
    hn::StoreU(VectorExp(d, hn::Sub(x, hn::Set(d, highest))), d,
               probabilities + i);
  });
  float sum = 0;
  for (int64_t j = 0; j < window.size; ++j) sum += probabilities[j];
  const float scale = 1.0f / sum;
  for (int64_t j = 0; j < window.size; ++j) probabilities[j] *= scale;
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    auto total = hn::Zero(d);
    for (int64_t j = 0; j < window.filled; ++j) {
      const float* state = states + (window.slot_begin[j] + row) * n;
      total = hn::MulAdd(hn::Set(d, filled[j]), hn::LoadU(d, state + i), total);
    }
    hn::StoreU(total, d, attention + i);
  });
}

// Given da [n], the gradient of the attention vector: replaces query by its
// gradient, adds to dv [n], and to dstates and dprojected of the filled slots.
// dp [size] is scratch.
HWY_INLINE void AttendRowBackward(int64_t n, const Window& window, int64_t row,
                                  const float* v, float* query,
                                  const float* states, const float* projected,
                                  const float* probabilities, const float* da,
                                  float* dv, float* dstates, float* dprojected,
                                  float* dp) {
  const int64_t empty = window.size - window.filled;
  const float* const p = probabilities + empty;
  float mean = 0;  // sum of p dp; dp of an empty slot is zero
  for (int64_t j = 0; j < window.filled; ++j) {
    dp[j] = Dot(n, states + (window.slot_begin[j] + row) * n, da);
    mean += p[j] * dp[j];
  }
  float empty_ds = 0;  // of all empty slots together: they share tanh(query)
  for (int64_t j = 0; j < empty; ++j) empty_ds -= probabilities[j] * mean;
  for (int64_t j = 0; j < window.filled; ++j) dp[j] = p[j] * (dp[j] - mean);
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto one = hn::Set(d, 1.0f);
    const auto q = hn::LoadU(d, query + i);
    const auto score = hn::LoadU(d, v + i);
    const auto attention = hn::LoadU(d, da + i);
    auto dscore = hn::LoadU(d, dv + i);
    const auto idle = VectorTanh(d, q);
    const auto idle_ds = hn::Set(d, empty_ds);
    dscore = hn::MulAdd(idle_ds, idle, dscore);
    auto dquery =
        hn::Mul(hn::Mul(idle_ds, score), hn::NegMulAdd(idle, idle, one));
    for (int64_t j = 0; j < window.filled; ++j) {
      const int64_t at = (window.slot_begin[j] + row) * n + i;
      const auto ds = hn::Set(d, dp[j]);
      const auto y = VectorTanh(d, hn::Add(hn::LoadU(d, projected + at), q));
      dscore = hn::MulAdd(ds, y, dscore);
      const auto gradient =
          hn::Mul(hn::Mul(ds, score), hn::NegMulAdd(y, y, one));
      dquery = hn::Add(dquery, gradient);
      hn::StoreU(hn::Add(hn::LoadU(d, dprojected + at), gradient), d,
                 dprojected + at);
      hn::StoreU(
          hn::MulAdd(hn::Set(d, p[j]), attention, hn::LoadU(d, dstates + at)),
          d, dstates + at);
    }
    hn::StoreU(dscore, d, dv + i);
    hn::StoreU(dquery, d, query + i);
  });
}

}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
