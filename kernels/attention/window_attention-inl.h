// SPDX-License-Identifier: Apache-2.0

// The attention window of one row, forward and backward, for inclusion once
// per instruction set.

#if defined(CONTINUO_KERNELS_ATTENTION_WINDOW_ATTENTION_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CONTINUO_KERNELS_ATTENTION_WINDOW_ATTENTION_INL_H_
#undef CONTINUO_KERNELS_ATTENTION_WINDOW_ATTENTION_INL_H_
#else
#define CONTINUO_KERNELS_ATTENTION_WINDOW_ATTENTION_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "kernels/common/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The filled slots of a row's window: a ring of `size` rows of n columns, in
// which event e has row e mod size.
struct Window {
  int64_t size;    // A
  int64_t filled;  // slots in use; size - filled empty ones come before them
  int64_t oldest;  // ring row of the first filled slot

  // The window before `step`, that is of the events up to step - 1.
  static Window Before(int64_t step, int64_t size) {
    const int64_t filled = std::min(step, size);
    return {size, filled, (step - filled) % size};
  }
  int64_t Next(int64_t slot) const { return slot + 1 == size ? 0 : slot + 1; }
  int64_t Row(int64_t slot) const { return slot; }
};

// The same of a row whose events all have rows of their own: event e has row
// step_begin[e] + row of arrays [E, n].
struct EventWindow {
  int64_t size;
  int64_t filled;
  int64_t oldest;  // the first event
  const int32_t* step_begin;
  int64_t row;

  static EventWindow Before(int64_t step, int64_t size,
                            const int32_t* step_begin, int64_t row) {
    const int64_t filled = std::min(step, size);
    return {size, filled, step - filled, step_begin, row};
  }
  int64_t Next(int64_t event) const { return event + 1; }
  int64_t Row(int64_t event) const { return step_begin[event] + row; }
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
  return AddLanes(d, sum) + rest;
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
  return AddLanes(d, sum) + rest;
}

// attention [n] = sum of the states, weighted with p. The slots are walked in
// the order of memory: they come from beyond the level-1 cache.
HWY_INLINE void WeightedSum(int64_t n, const Window& window, const float* p,
                            const float* states, float* attention) {
  ForEachRun<8>(n, [&](auto d, auto count, int64_t i) HWY_ATTR {
    const int64_t lanes = hn::Lanes(d);
    hn::Vec<decltype(d)> sum[count];
    for (int v = 0; v < count; ++v) sum[v] = hn::Zero(d);
    int64_t slot = window.oldest;
    for (int64_t j = 0; j < window.filled; ++j) {
      const auto weight = hn::Set(d, p[j]);
      const float* state = states + slot * n + i;
      for (int v = 0; v < count; ++v) {
        sum[v] = hn::MulAdd(weight, hn::LoadU(d, state + v * lanes), sum[v]);
      }
      slot = window.Next(slot);
    }
    for (int v = 0; v < count; ++v) {
      hn::StoreU(sum[v], d, attention + i + v * lanes);
    }
  });
}

// probabilities [size] = softmax of the scores, attention [n] = their sum of
// the states. states and projected are the row's rings [size, n].
HWY_INLINE void AttendRow(int64_t n, const Window& window, const float* v,
                          const float* query, const float* states,
                          const float* projected, float* probabilities,
                          float* attention) {
  const int64_t empty = window.size - window.filled;
  if (empty > 0) {
    std::fill(probabilities, probabilities + empty,
              Score(n, v, nullptr, query));
  }
  float* const filled = probabilities + empty;
  int64_t slot = window.oldest;
  for (int64_t j = 0; j < window.filled; ++j) {
    filled[j] = Score(n, v, projected + slot * n, query);
    slot = window.Next(slot);
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
  WeightedSum(n, window, filled, states, attention);
}

// Given da [n], the gradient of the attention vector: replaces query by its
// gradient, adds to dv [n] and to the slots of dstates and dprojected. dp
// [size] is scratch.
template <typename Slots>
HWY_INLINE void AttendRowBackward(int64_t n, const Slots& window,
                                  const float* v, float* query,
                                  const float* states, const float* projected,
                                  const float* probabilities, const float* da,
                                  float* dv, float* dstates, float* dprojected,
                                  float* dp) {
  const int64_t empty = window.size - window.filled;
  const float* const p = probabilities + empty;
  float mean = 0;  // sum of p dp; dp of an empty slot is zero
  int64_t slot = window.oldest;
  for (int64_t j = 0; j < window.filled; ++j) {
    dp[j] = Dot(n, states + window.Row(slot) * n, da);
    mean += p[j] * dp[j];
    slot = window.Next(slot);
  }
  float empty_ds = 0;  // of all empty slots together: they share tanh(query)
  for (int64_t j = 0; j < empty; ++j) empty_ds -= probabilities[j] * mean;
  for (int64_t j = 0; j < window.filled; ++j) dp[j] = p[j] * (dp[j] - mean);
  ForEachRun<4>(n, [&](auto d, auto count, int64_t i) HWY_ATTR {
    using Vector = hn::Vec<decltype(d)>;
    const int64_t lanes = hn::Lanes(d);
    const Vector one = hn::Set(d, 1.0f);
    Vector dscore[count], dquery[count];
    for (int k = 0; k < count; ++k) {
      const int64_t at = i + k * lanes;
      const Vector idle = VectorTanh(d, hn::LoadU(d, query + at));
      const Vector ds = hn::Set(d, empty_ds);
      dscore[k] = hn::MulAdd(ds, idle, hn::LoadU(d, dv + at));
      dquery[k] = hn::Mul(hn::Mul(ds, hn::LoadU(d, v + at)),
                          hn::NegMulAdd(idle, idle, one));
    }
    int64_t slot = window.oldest;
    for (int64_t j = 0; j < window.filled; ++j) {
      const Vector ds = hn::Set(d, dp[j]);
      const Vector weight = hn::Set(d, p[j]);
      const int64_t row = window.Row(slot);
      for (int k = 0; k < count; ++k) {
        const int64_t column = i + k * lanes;
        const int64_t at = row * n + column;
        const Vector y = VectorTanh(d, hn::Add(hn::LoadU(d, projected + at),
                                               hn::LoadU(d, query + column)));
        dscore[k] = hn::MulAdd(ds, y, dscore[k]);
        const Vector gradient = hn::Mul(hn::Mul(ds, hn::LoadU(d, v + column)),
                                        hn::NegMulAdd(y, y, one));
        dquery[k] = hn::Add(dquery[k], gradient);
        hn::StoreU(hn::Add(hn::LoadU(d, dprojected + at), gradient), d,
                   dprojected + at);
        hn::StoreU(hn::MulAdd(weight, hn::LoadU(d, da + column),
                              hn::LoadU(d, dstates + at)),
                   d, dstates + at);
      }
      slot = window.Next(slot);
    }
    for (int k = 0; k < count; ++k) {
      hn::StoreU(dscore[k], d, dv + i + k * lanes);
      hn::StoreU(dquery[k], d, query + i + k * lanes);
    }
  });
}

}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
