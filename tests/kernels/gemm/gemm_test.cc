// SPDX-License-Identifier: Apache-2.0

#include "kernels/gemm/gemm.h"

#include <algorithm>

#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

// Chains of at most 130 (or 500) rounded sums of numbers below 1.
constexpr double kTolerance = 2e-5;

enum class Form { kPlain, kBias, kAccumulate };

Floats Multiply(int threads, int64_t m, int64_t k, int64_t n, const Floats& a,
                const Floats& packed, const Floats& bias, Form form) {
  Threads pool(threads);
  Floats c = Random(m * n, 5);
  EXPECT_TRUE(Gemm(pool.stream(),
                   {.a = TensorView(a.data(), {m, k}),
                    .b = Vector(packed),
                    .bias = form == Form::kBias ? Vector(bias) : TensorView(),
                    .c = TensorView(c.data(), {m, n}),
                    .accumulate = form == Form::kAccumulate})
                  .ok());
  return c;
}

TEST(GemmTest, MatchesDoubleLoopOnEveryTarget) {
  for (int m : kOddSizes) {
    for (int k : kOddSizes) {
      for (int n : kOddSizes) {
        const Floats a = Random(m * k, 1);
        const Floats b = Random(k * n, 2);
        const Floats bias = Random(n, 3);
        const Floats before = Random(m * n, 5);
        const Floats packed = Packed(b, n);
        for (Form form : {Form::kPlain, Form::kBias, Form::kAccumulate}) {
          std::vector<double> want(m * n);
          for (int r = 0; r < m; ++r) {
            for (int c = 0; c < n; ++c) {
              double sum = form == Form::kBias         ? bias[c]
                           : form == Form::kAccumulate ? before[r * n + c]
                                                       : 0.0;
              for (int i = 0; i < k; ++i) {
                sum += static_cast<double>(a[r * k + i]) * b[i * n + c];
              }
              want[r * n + c] = sum;
            }
          }
          ForEachTarget([&] {
            const Floats c = Multiply(1, m, k, n, a, packed, bias, form);
            double worst = 0;
            for (int i = 0; i < m * n; ++i) {
              worst = std::max(worst, std::abs(c[i] - want[i]));
            }
            EXPECT_LT(worst, kTolerance) << m << " " << k << " " << n;
          });
        }
      }
    }
  }
}

TEST(GemmTest, TransposedPackingMultipliesWithTheTranspose) {
  const int m = 5, k = 33, n = 70;
  const Floats a = Random(m * k, 1);
  const Floats b = Random(k * n, 2);
  Floats b_t(n * k);
  for (int i = 0; i < k; ++i) {
    for (int j = 0; j < n; ++j) b_t[j * k + i] = b[i * n + j];
  }
  EXPECT_EQ(Packed(b_t, k, /*transpose=*/true), Packed(b, n));
}

TEST(GemmTest, RowsHaveTheSameBitsInAnyCompanyAndOnAnyThreads) {
  const int m = 101, k = 300, n = 97;
  const Floats a = Random(m * k, 1);
  const Floats packed = Packed(Random(k * n, 2), n);
  const Floats bias = Random(n, 3);
  ForEachTarget([&] {
    const Floats all = Multiply(1, m, k, n, a, packed, bias, Form::kBias);
    EXPECT_EQ(all, Multiply(3, m, k, n, a, packed, bias, Form::kBias));
    for (int first : {0, 7, 100}) {
      for (int rows : {1, 2, 11, 13, 48}) {
        if (first + rows > m) continue;
        const Floats part(a.begin() + first * k,
                          a.begin() + (first + rows) * k);
        const Floats c =
            Multiply(1, rows, k, n, part, packed, bias, Form::kBias);
        EXPECT_TRUE(std::equal(c.begin(), c.end(), all.begin() + first * n))
            << first << " " << rows;
      }
    }
  });
}

struct Gradient {
  Floats dw;
  Floats db;
};

Gradient Accumulate(int threads, int64_t k, int64_t n, const Floats& x,
                    const std::vector<int32_t>* rows, const Floats& dz) {
  Threads pool(threads);
  const int64_t events = static_cast<int64_t>(dz.size()) / n;
  Gradient gradient = {Random(k * n, 8), Random(n, 9)};
  Floats scratch(WeightGradientScratch(pool.stream(), 0, 0, 0));
  EXPECT_TRUE(
      WeightGradient(pool.stream(),
                     {.x = TensorView(x.data(), {events, k}),
                      .rows = rows != nullptr ? Vector(*rows) : TensorView(),
                      .dz = TensorView(dz.data(), {events, n}),
                      .dw = Matrix(gradient.dw, n),
                      .db = Vector(gradient.db),
                      .scratch = Vector(scratch)})
          .ok());
  return gradient;
}

TEST(WeightGradientTest, MatchesDoubleLoopOnEveryTarget) {
  for (int64_t events : {0, 1, 191, 192, 193, 500}) {
    for (int k : kOddSizes) {
      for (int n : kOddSizes) {
        const Floats x = Random(events * k, 1);
        const Floats dz = Random(events * n, 2);
        // Every fifth event has no predecessor, the others one out of order.
        std::vector<int32_t> rows(events);
        for (int64_t e = 0; e < events; ++e) {
          rows[e] = e % 5 == 0 ? -1 : static_cast<int32_t>(e * 7 % events);
        }
        const bool gather = events % 2 == 1;
        std::vector<double> dw(k * n), db(n);
        const Floats dw_before = Random(k * n, 8), db_before = Random(n, 9);
        std::copy(dw_before.begin(), dw_before.end(), dw.begin());
        std::copy(db_before.begin(), db_before.end(), db.begin());
        for (int64_t e = 0; e < events; ++e) {
          const int64_t from = gather ? rows[e] : e;
          for (int j = 0; j < n; ++j) {
            db[j] += dz[e * n + j];
            for (int i = 0; i < k && from >= 0; ++i) {
              dw[i * n + j] +=
                  static_cast<double>(x[from * k + i]) * dz[e * n + j];
            }
          }
        }
        ForEachTarget([&] {
          const Gradient gradient =
              Accumulate(1, k, n, x, gather ? &rows : nullptr, dz);
          double worst = 0;
          for (int i = 0; i < k * n; ++i) {
            worst = std::max(worst, std::abs(gradient.dw[i] - dw[i]));
          }
          for (int i = 0; i < n; ++i) {
            worst = std::max(worst, std::abs(gradient.db[i] - db[i]));
          }
          EXPECT_LT(worst, kTolerance) << events << " " << k << " " << n;
        });
      }
    }
  }
}

TEST(WeightGradientTest, SameBitsOnAnyThreads) {
  const int k = 140, n = 520, events = 400;
  const Floats x = Random(events * k, 1);
  const Floats dz = Random(events * n, 2);
  ForEachTarget([&] {
    const Gradient one = Accumulate(1, k, n, x, nullptr, dz);
    for (int threads : {2, 3, 7}) {
      const Gradient more = Accumulate(threads, k, n, x, nullptr, dz);
      EXPECT_EQ(one.dw, more.dw);
      EXPECT_EQ(one.db, more.db);
    }
  });
}

TEST(WeightGradientTest, BiasAloneHasTheSameBits) {
  const int n = 130, events = 400;
  const Floats x = Random(events * 3, 1);
  const Floats dz = Random(events * n, 2);
  ForEachTarget([&] {
    Threads pool(2);
    Floats db = Random(n, 9);
    ASSERT_TRUE(WeightGradient(pool.stream(), {.x = TensorView(),
                                               .dz = Matrix(dz, n),
                                               .dw = TensorView(),
                                               .db = Vector(db),
                                               .scratch = TensorView()})
                    .ok());
    EXPECT_EQ(db, Accumulate(1, 3, n, x, nullptr, dz).db);
  });
}

}  // namespace
}  // namespace continuo
