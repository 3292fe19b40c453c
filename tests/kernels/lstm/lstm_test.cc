// SPDX-License-Identifier: Apache-2.0

#include "kernels/lstm/lstm.h"

#include <algorithm>

#include "tests/kernels/lstm/lstm_reference.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Result {
  Floats gates, c, h;
};

Result Forward(int threads, const Problem& p) {
  Threads pool(threads);
  Result r = {p.z, Floats(p.ragged.events() * p.n),
              Floats(p.ragged.events() * p.n)};
  const Floats packed = Packed(p.recurrent, 4 * p.n);
  EXPECT_TRUE(LstmForward(pool.stream(), {.ragged = p.ragged.view(),
                                          .recurrent = Vector(packed),
                                          .gates = Matrix(r.gates, 4 * p.n),
                                          .c = Matrix(r.c, p.n),
                                          .h = Matrix(r.h, p.n)})
                  .ok());
  return r;
}

// dz of the loss sum(dh * h), given the forward result.
Floats Backward(int threads, const Problem& p, Result r, Floats dh) {
  Threads pool(threads);
  const Floats packed = Packed(p.recurrent, 4 * p.n, /*transpose=*/true);
  Floats dc(p.ragged.rows() * p.n, -7.0f);
  EXPECT_TRUE(LstmBackward(pool.stream(), {.ragged = p.ragged.view(),
                                           .recurrent_t = Vector(packed),
                                           .c = Matrix(r.c, p.n),
                                           .gates = Matrix(r.gates, 4 * p.n),
                                           .dh = Matrix(dh, p.n),
                                           .dc = Matrix(dc, p.n)})
                  .ok());
  return r.gates;
}

TEST(LstmTest, ForwardMatchesDoubleLoopOnEveryTarget) {
  for (const auto& lengths : Lengths()) {
    for (int n : kOddSizes) {
      const Problem p(lengths, n);
      const DoubleState want = Reference(p, Doubles(p.z.begin(), p.z.end()));
      ForEachTarget([&] {
        const Result r = Forward(1, p);
        for (size_t i = 0; i < want.c.size(); ++i) {
          ASSERT_NEAR(r.c[i], want.c[i], 3e-6) << n;
          ASSERT_NEAR(r.h[i], want.h[i], 3e-6) << n;
        }
      });
    }
  }
}

TEST(LstmTest, BackwardMatchesFiniteDifference) {
  for (const auto& lengths : Lengths()) {
    for (int n : {1, 5, 17}) {
      const Problem p(lengths, n);
      const int64_t events = p.ragged.events();
      const Floats dh = Random(events * n, 3);
      const auto loss = [&](const Doubles& z) {
        const DoubleState s = Reference(p, z);
        double sum = 0;
        for (int64_t i = 0; i < events * n; ++i) sum += dh[i] * s.h[i];
        return sum;
      };
      // The slope along directions that move all z, and along single ones.
      Doubles z(p.z.begin(), p.z.end());
      std::vector<Doubles> directions;
      for (int d = 0; d < 3; ++d) {
        const Floats direction = Random(events * 4 * n, 10 + d);
        directions.emplace_back(direction.begin(), direction.end());
      }
      for (size_t i = 0; i < z.size(); i += 1 + z.size() / 11) {
        directions.emplace_back(z.size())[i] = 1;
      }
      Doubles slopes;
      for (const Doubles& direction : directions) {
        constexpr double kStep = 1e-5;
        Doubles up = z, down = z;
        for (size_t i = 0; i < z.size(); ++i) {
          up[i] += kStep * direction[i];
          down[i] -= kStep * direction[i];
        }
        slopes.push_back((loss(up) - loss(down)) / (2 * kStep));
      }
      ForEachTarget([&] {
        const Floats dz = Backward(2, p, Forward(2, p), dh);
        for (size_t d = 0; d < directions.size(); ++d) {
          double slope = 0;
          for (size_t i = 0; i < z.size(); ++i) {
            slope += dz[i] * directions[d][i];
          }
          EXPECT_NEAR(slope, slopes[d], 2e-5) << n << " direction " << d;
        }
      });
    }
  }
}

TEST(LstmTest, NoSteps) {
  const Problem p({}, 31);
  EXPECT_TRUE(Forward(2, p).h.empty());
  EXPECT_TRUE(Backward(2, p, Forward(2, p), {}).empty());
}

TEST(LstmTest, SameBitsOnAnyThreads) {
  const Problem p({9, 9, 8, 8, 7, 7, 7, 7, 7, 6, 5, 5, 4, 4, 4, 2, 2, 1}, 33);
  const Floats dh = Random(p.ragged.events() * p.n, 3);
  ForEachTarget([&] {
    const Result one = Forward(1, p);
    const Floats dz = Backward(1, p, one, dh);
    for (int threads : {2, 3, 9}) {
      const Result more = Forward(threads, p);
      EXPECT_EQ(one.h, more.h);
      EXPECT_EQ(one.gates, more.gates);
      EXPECT_EQ(dz, Backward(threads, p, more, dh));
    }
  });
}

TEST(LstmTest, RowsHaveTheSameBitsAlone) {
  const Problem together({6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 3}, 33);
  const Floats dh = Random(together.ragged.events() * 33, 3);
  ForEachTarget([&] {
    const Result all = Forward(1, together);
    const Floats dz = Backward(1, together, all, dh);
    for (int row : {0, 5, 13}) {
      Problem alone({together.ragged.lengths[row]}, 33);
      Floats alone_dh(alone.ragged.events() * 33);
      const auto from = [&](int t, int64_t columns, const Floats& x) {
        return x.begin() + together.ragged.event(t, row) * columns;
      };
      for (int t = 0; t < alone.ragged.steps(); ++t) {
        std::copy_n(from(t, 4 * 33, together.z), 4 * 33,
                    alone.z.begin() + t * 4 * 33);
        std::copy_n(from(t, 33, dh), 33, alone_dh.begin() + t * 33);
      }
      const Result one = Forward(1, alone);
      const Floats one_dz = Backward(1, alone, one, alone_dh);
      for (int t = 0; t < alone.ragged.steps(); ++t) {
        EXPECT_TRUE(std::equal(one.h.begin() + t * 33,
                               one.h.begin() + (t + 1) * 33,
                               from(t, 33, all.h)));
        EXPECT_TRUE(std::equal(one_dz.begin() + t * 4 * 33,
                               one_dz.begin() + (t + 1) * 4 * 33,
                               from(t, 4 * 33, dz)));
      }
    }
  });
}

// A batch in two calls, the state carried over, equals one call.
TEST(LstmTest, ContinuesFromAnInitialState) {
  const int n = 33;
  const Problem p({4, 4, 4}, n);
  ForEachTarget([&] {
    const Result want = Forward(1, p);
    Threads pool(1);
    const Floats packed = Packed(p.recurrent, 4 * n);
    Floats c(3 * n, 0.0f), h(3 * n, 0.0f);
    const TestRaggedLayout step({1, 1, 1});
    for (int t = 0; t < 4; ++t) {
      Floats gates(p.z.begin() + t * 12 * n, p.z.begin() + (t + 1) * 12 * n);
      Floats c_next(3 * n), h_next(3 * n);
      ASSERT_TRUE(LstmForward(pool.stream(), {.ragged = step.view(),
                                              .recurrent = Vector(packed),
                                              .initial_c = Matrix(c, n),
                                              .initial_h = Matrix(h, n),
                                              .gates = Matrix(gates, 4 * n),
                                              .c = Matrix(c_next, n),
                                              .h = Matrix(h_next, n)})
                      .ok());
      c = c_next;
      h = h_next;
      EXPECT_TRUE(std::equal(h.begin(), h.end(), want.h.begin() + t * 3 * n));
    }
  });
}

}  // namespace
}  // namespace continuo
