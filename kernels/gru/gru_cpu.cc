// SPDX-License-Identifier: Apache-2.0

// Bound by the arithmetic of h Rg and (r h) Rc, as the LSTM by its product
// (kernels/lstm/lstm_cpu.cc), with three quarters of its weights. The two
// products of a step wait for each other, so the gates are activated in two
// passes over the rows of a block.

#include <algorithm>

#include "kernels/common/parallel_for.h"
#include "kernels/common/row_blocks.h"
#include "kernels/gemm/packing.h"
#include "kernels/gru/gru.h"
#include "runtime/base/log.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gru/gru_cpu.cc"
#include "hwy/foreach_target.h"
// After foreach_target.
#include "hwy/highway.h"
#include "kernels/common/vector_math-inl.h"
#include "kernels/gemm/matmul-inl.h"

HWY_BEFORE_NAMESPACE();
namespace continuo::cpu::HWY_NAMESPACE {
namespace {

// gates [2n]: zg in, r and u out; reset = r * h_prev. h_prev may be null
// (zeros).
HWY_INLINE void GatesForward(int64_t n, float* HWY_RESTRICT gates,
                             const float* h_prev, float* reset) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto r = VectorSigmoid(d, hn::LoadU(d, gates + i));
    hn::StoreU(r, d, gates + i);
    hn::StoreU(VectorSigmoid(d, hn::LoadU(d, gates + n + i)), d, gates + n + i);
    hn::StoreU(
        h_prev != nullptr ? hn::Mul(r, hn::LoadU(d, h_prev + i)) : hn::Zero(d),
        d, reset + i);
  });
}

// candidate [n]: zc in, c out.
HWY_INLINE void StateForward(int64_t n, const float* gates, const float* h_prev,
                             float* candidate, float* h) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto u = hn::LoadU(d, gates + n + i);
    const auto c = VectorTanh(d, hn::LoadU(d, candidate + i));
    hn::StoreU(c, d, candidate + i);
    auto state = hn::NegMulAdd(u, c, c);  // (1 - u) c
    if (h_prev != nullptr) {
      state = hn::MulAdd(u, hn::LoadU(d, h_prev + i), state);
    }
    hn::StoreU(state, d, h + i);
  });
}

// gates [2n]: u in, gradient of its z out; candidate [n]: c in, gradient of zc
// out. dh_prev, if given, receives the part that does not go through a product.
HWY_INLINE void StateBackward(int64_t n, float* HWY_RESTRICT gates,
                              const float* h_prev, const float* dh,
                              float* candidate, float* dh_prev) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto one = hn::Set(d, 1.0f);
    const auto u = hn::LoadU(d, gates + n + i);
    const auto c = hn::LoadU(d, candidate + i);
    const auto dstate = hn::LoadU(d, dh + i);
    const auto before =
        h_prev != nullptr ? hn::LoadU(d, h_prev + i) : hn::Zero(d);
    const auto du = hn::Mul(dstate, hn::Sub(before, c));
    hn::StoreU(hn::Mul(du, hn::NegMulAdd(u, u, u)), d, gates + n + i);
    const auto dc = hn::NegMulAdd(dstate, u, dstate);
    hn::StoreU(hn::Mul(dc, hn::NegMulAdd(c, c, one)), d, candidate + i);
    if (dh_prev == nullptr) return;
    hn::StoreU(hn::MulAdd(dstate, u, hn::LoadU(d, dh_prev + i)), d,
               dh_prev + i);
  });
}

// gates [n]: r in, gradient of its z out, from that of r * h_prev.
HWY_INLINE void ResetBackward(int64_t n, float* HWY_RESTRICT gates,
                              const float* h_prev, const float* dreset,
                              float* dh_prev) {
  ForEachVector(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto r = hn::LoadU(d, gates + i);
    const auto dproduct = hn::LoadU(d, dreset + i);
    const auto dr = hn::Mul(dproduct, hn::LoadU(d, h_prev + i));
    hn::StoreU(hn::Mul(dr, hn::NegMulAdd(r, r, r)), d, gates + i);
    hn::StoreU(hn::MulAdd(dproduct, r, hn::LoadU(d, dh_prev + i)), d,
               dh_prev + i);
  });
}

// All steps of rows [begin, end).
void ForwardRows(const GruForwardArgs& args, int64_t begin, int64_t end) {
  const int64_t n = args.h.shape[1];
  const int32_t* batch_sizes = args.ragged.batch_sizes.data<int32_t>();
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  for (int64_t t = 0; t < args.ragged.steps() && batch_sizes[t] > begin; ++t) {
    const int64_t rows = std::min<int64_t>(end, batch_sizes[t]) - begin;
    const int64_t event = step_begin[t] + begin;
    const float* h_prev = args.initial_h.data<float>();
    if (t > 0) {
      h_prev = args.h.data<float>() + (step_begin[t - 1] + begin) * n;
    } else if (h_prev != nullptr) {
      h_prev += begin * n;
    }
    float* const gates = args.gates.data<float>() + event * 2 * n;
    float* const candidate = args.candidate.data<float>() + event * n;
    float* const reset = args.reset.data<float>() + event * n;
    const auto before = [&](int64_t r) {
      return h_prev != nullptr ? h_prev + r * n : nullptr;
    };
    if (h_prev != nullptr) {
      MatmulRows(rows, 2 * n, n, h_prev, n, args.recurrent_gates.data<float>(),
                 Start::kC, nullptr, gates, 2 * n);
    }
    for (int64_t r = 0; r < rows; ++r) {
      GatesForward(n, gates + r * 2 * n, before(r), reset + r * n);
    }
    if (h_prev != nullptr) {
      MatmulRows(rows, n, n, reset, n, args.recurrent_candidate.data<float>(),
                 Start::kC, nullptr, candidate, n);
    }
    for (int64_t r = 0; r < rows; ++r) {
      StateForward(n, gates + r * 2 * n, before(r), candidate + r * n,
                   args.h.data<float>() + (event + r) * n);
    }
  }
}

void BackwardRows(const GruBackwardArgs& args, int64_t begin, int64_t end) {
  const int64_t n = args.h.shape[1];
  const int32_t* batch_sizes = args.ragged.batch_sizes.data<int32_t>();
  const int32_t* step_begin = args.ragged.step_begin.data<int32_t>();
  const float* h = args.h.data<float>();
  float* dh = args.dh.data<float>();
  float* dreset = args.dreset.data<float>() + begin * n;
  int64_t t = args.ragged.steps();
  while (t > 0 && batch_sizes[t - 1] <= begin) --t;
  while (t-- > 0) {
    const int64_t rows = std::min<int64_t>(end, batch_sizes[t]) - begin;
    const int64_t event = step_begin[t] + begin;
    float* const gates = args.gates.data<float>() + event * 2 * n;
    float* const candidate = args.candidate.data<float>() + event * n;
    if (t == 0) {
      for (int64_t r = 0; r < rows; ++r) {
        StateBackward(n, gates + r * 2 * n, nullptr, dh + (event + r) * n,
                      candidate + r * n, nullptr);
        std::fill_n(gates + r * 2 * n, n, 0.0f);  // r multiplied zeros
      }
      break;
    }
    const float* const h_prev = h + (step_begin[t - 1] + begin) * n;
    float* const dh_prev = dh + (step_begin[t - 1] + begin) * n;
    for (int64_t r = 0; r < rows; ++r) {
      StateBackward(n, gates + r * 2 * n, h_prev + r * n, dh + (event + r) * n,
                    candidate + r * n, dh_prev + r * n);
    }
    MatmulRows(rows, n, n, candidate, n,
               args.recurrent_candidate_t.data<float>(), Start::kZero, nullptr,
               dreset, n);
    for (int64_t r = 0; r < rows; ++r) {
      ResetBackward(n, gates + r * 2 * n, h_prev + r * n, dreset + r * n,
                    dh_prev + r * n);
    }
    MatmulRows(rows, n, 2 * n, gates, 2 * n,
               args.recurrent_gates_t.data<float>(), Start::kC, nullptr,
               dh_prev, n);
  }
}

}  // namespace
}  // namespace continuo::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace continuo::cpu {
namespace {
HWY_EXPORT(ForwardRows);
HWY_EXPORT(BackwardRows);
}  // namespace

absl::Status GruForward(const Stream& stream, const GruForwardArgs& args) {
  const int64_t n = args.h.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 2 * n);
  CONTINUO_CHECK(args.candidate.shape == args.h.shape &&
                 args.reset.shape == args.h.shape);
  ForEachRowBlock(stream, args.ragged, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(ForwardRows)(args, begin, end);
  });
  return absl::OkStatus();
}

absl::Status GruBackward(const Stream& stream, const GruBackwardArgs& args) {
  const int64_t n = args.h.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 2 * n);
  CONTINUO_CHECK(args.candidate.shape == args.h.shape &&
                 args.dh.shape == args.h.shape);
  CONTINUO_CHECK(args.dreset.shape[1] == n);
  ForEachRowBlock(stream, args.ragged, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(BackwardRows)(args, begin, end);
  });
  return absl::OkStatus();
}

}  // namespace continuo::cpu
#endif  // HWY_ONCE
