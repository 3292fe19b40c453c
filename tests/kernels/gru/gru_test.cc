// SPDX-License-Identifier: Apache-2.0

#include "kernels/gru/gru.h"

#include <utility>

#include "tests/kernels/gru/gru_reference.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Result {
  Floats gates, candidate, reset, h;
};

Result Forward(int threads, const GruProblem& p) {
  Threads pool(threads);
  const int64_t size = p.ragged.events() * p.n;
  Result r = {p.gates, p.candidate, Floats(size), Floats(size)};
  const Floats gates = Packed(p.recurrent_gates, 2 * p.n);
  const Floats candidate = Packed(p.recurrent_candidate, p.n);
  EXPECT_TRUE(
      GruForward(pool.stream(),
                 {.ragged = p.ragged.view(),
                  .recurrent_gates = Vector(gates),
                  .recurrent_candidate = Vector(candidate),
                  .initial_h = p.initial_h.empty() ? TensorView()
                                                   : Matrix(p.initial_h, p.n),
                  .gates = Matrix(r.gates, 2 * p.n),
                  .candidate = Matrix(r.candidate, p.n),
                  .reset = Matrix(r.reset, p.n),
                  .h = Matrix(r.h, p.n)})
          .ok());
  return r;
}

// The gradients of the loss sum(dh * h), in the result's gates and candidate.
Result Backward(int threads, const GruProblem& p, Result r, Floats dh) {
  Threads pool(threads);
  const Floats gates = Packed(p.recurrent_gates, 2 * p.n, /*transpose=*/true);
  const Floats candidate =
      Packed(p.recurrent_candidate, p.n, /*transpose=*/true);
  Floats dreset(p.ragged.rows() * p.n, -7.0f);
  EXPECT_TRUE(
      GruBackward(pool.stream(), {.ragged = p.ragged.view(),
                                  .recurrent_gates_t = Vector(gates),
                                  .recurrent_candidate_t = Vector(candidate),
                                  .h = Matrix(r.h, p.n),
                                  .gates = Matrix(r.gates, 2 * p.n),
                                  .candidate = Matrix(r.candidate, p.n),
                                  .dh = Matrix(dh, p.n),
                                  .dreset = Matrix(dreset, p.n)})
          .ok());
  return r;
}

Doubles ToDoubles(const Floats& values) {
  return Doubles(values.begin(), values.end());
}

TEST(GruTest, ForwardMatchesDoubleLoopOnEveryTarget) {
  for (const auto& lengths : GruLengths()) {
    for (int n : kOddSizes) {
      for (const bool from_state : {false, true}) {
        GruProblem p(lengths, n);
        if (from_state) p.StartFromState();
        const GruDoubles want =
            GruReference(p, ToDoubles(p.gates), ToDoubles(p.candidate));
        ForEachTarget([&] {
          const Result r = Forward(1, p);
          for (size_t i = 0; i < want.h.size(); ++i) {
            ASSERT_NEAR(r.h[i], want.h[i], 3e-6) << n;
            ASSERT_NEAR(r.reset[i], want.reset[i], 3e-6) << n;
            ASSERT_NEAR(r.candidate[i], want.candidate[i], 3e-6) << n;
          }
          for (size_t i = 0; i < want.gates.size(); ++i) {
            ASSERT_NEAR(r.gates[i], want.gates[i], 3e-6) << n;
          }
        });
      }
    }
  }
}

// What TensorFlow's GRUCell gives for one unit: h = 0.5, x K + b of r, u and c
// = 0.2, -0.4, 0.3, recurrent weights 0.7, -0.6, 0.9.
TEST(GruTest, OneStepOfOneUnitByHand) {
  GruProblem p({1}, 1);
  p.gates = {0.2f, -0.4f};
  p.candidate = {0.3f};
  p.recurrent_gates = {0.7f, -0.6f};
  p.recurrent_candidate = {0.9f};
  p.initial_h = {0.5f};
  const double r = 1 / (1 + std::exp(-0.55)), u = 1 / (1 + std::exp(0.7));
  const double c = std::tanh(0.3 + 0.9 * 0.5 * r);
  EXPECT_NEAR(Forward(1, p).h[0], 0.5 * u + (1 - u) * c, 1e-6);
  EXPECT_NEAR(Forward(1, p).h[0], 0.5177411, 1e-6);
}

TEST(GruTest, BackwardMatchesFiniteDifference) {
  for (const auto& lengths : GruLengths()) {
    for (int n : {1, 5, 17}) {
      const GruProblem p(lengths, n);
      const int64_t events = p.ragged.events();
      const Floats dh = Random(events * n, 6);
      const size_t gates = p.gates.size();
      // Both inputs in one vector: gates, candidate.
      const auto loss = [&](const Doubles& z) {
        const GruDoubles s =
            GruReference(p, Doubles(z.begin(), z.begin() + gates),
                         Doubles(z.begin() + gates, z.end()));
        double sum = 0;
        for (int64_t i = 0; i < events * n; ++i) sum += dh[i] * s.h[i];
        return sum;
      };
      Doubles z = ToDoubles(p.gates);
      z.insert(z.end(), p.candidate.begin(), p.candidate.end());
      // The slope along directions that move all z, and along single ones.
      std::vector<Doubles> directions;
      for (int d = 0; d < 3; ++d) {
        directions.push_back(ToDoubles(Random(z.size(), 10 + d)));
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
        const Result got = Backward(2, p, Forward(2, p), dh);
        for (size_t d = 0; d < directions.size(); ++d) {
          double slope = 0;
          for (size_t i = 0; i < z.size(); ++i) {
            slope += directions[d][i] *
                     (i < gates ? got.gates[i] : got.candidate[i - gates]);
          }
          EXPECT_NEAR(slope, slopes[d], 2e-5) << n << " direction " << d;
        }
      });
    }
  }
}

TEST(GruTest, NoSteps) {
  const GruProblem p({}, 31);
  EXPECT_TRUE(Forward(2, p).h.empty());
  EXPECT_TRUE(Backward(2, p, Forward(2, p), {}).gates.empty());
}

TEST(GruTest, SameBitsOnAnyThreads) {
  const GruProblem p({9, 9, 8, 8, 7, 7, 7, 7, 7, 6, 5, 5, 4, 4, 4, 2, 2, 1},
                     33);
  const Floats dh = Random(p.ragged.events() * p.n, 6);
  ForEachTarget([&] {
    const Result one = Forward(1, p);
    const Result gradient = Backward(1, p, one, dh);
    for (int threads : {2, 3, 9}) {
      const Result more = Forward(threads, p);
      EXPECT_EQ(more.h, one.h);
      EXPECT_EQ(more.gates, one.gates);
      const Result again = Backward(threads, p, one, dh);
      EXPECT_EQ(again.gates, gradient.gates);
      EXPECT_EQ(again.candidate, gradient.candidate);
    }
  });
}

// A row's steps one by one, as a decoder takes them, are its steps at once.
TEST(GruTest, StepByStepIsTheSame) {
  const GruProblem p({6}, 33);
  const Result whole = Forward(1, p);
  Floats state(p.n, 0.0f);
  for (int t = 0; t < 6; ++t) {
    GruProblem step({1}, p.n);
    step.recurrent_gates = p.recurrent_gates;
    step.recurrent_candidate = p.recurrent_candidate;
    step.gates.assign(p.gates.begin() + t * 2 * p.n,
                      p.gates.begin() + (t + 1) * 2 * p.n);
    step.candidate.assign(p.candidate.begin() + t * p.n,
                          p.candidate.begin() + (t + 1) * p.n);
    step.initial_h = state;
    state = Forward(1, step).h;
    EXPECT_EQ(state, Floats(whole.h.begin() + t * p.n,
                            whole.h.begin() + (t + 1) * p.n));
  }
}

}  // namespace
}  // namespace continuo
