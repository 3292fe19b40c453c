// SPDX-License-Identifier: Apache-2.0

#include "kernels/attention/attention.h"

#include <algorithm>
#include <map>
#include <string>

#include "tests/kernels/attention/attention_reference.h"
#include "tests/kernels/common/kernel_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

// Packed matrices, kept alive for the views.
struct Weights {
  explicit Weights(const Problem& p) {
    const auto pack = [&](const char* name, int columns) {
      packed[name] = Packed(p.values.at(name), columns);
      transposed[name] = Packed(p.values.at(name), columns, true);
    };
    pack("attention_to_x", p.w);
    pack("x_to_gates", 4 * p.n);
    pack("recurrent", 4 * p.n);
    for (const char* name : {"c_to_query", "h_to_query", "project", "h_to_out",
                             "attention_to_out"}) {
      pack(name, p.n);
    }
    forward = {.attention_to_x = Vector(packed["attention_to_x"]),
               .x_to_gates = Vector(packed["x_to_gates"]),
               .gates_bias = Vector(p.values.at("gates_bias")),
               .recurrent = Vector(packed["recurrent"]),
               .c_to_query = Vector(packed["c_to_query"]),
               .h_to_query = Vector(packed["h_to_query"]),
               .query_bias = Vector(p.values.at("query_bias")),
               .project = Vector(packed["project"]),
               .score = Vector(p.values.at("score")),
               .h_to_out = Vector(packed["h_to_out"]),
               .attention_to_out = Vector(packed["attention_to_out"]),
               .out_bias = Vector(p.values.at("out_bias"))};
    backward = {.attention_to_x = Vector(transposed["attention_to_x"]),
                .x_to_gates = Vector(transposed["x_to_gates"]),
                .recurrent = Vector(transposed["recurrent"]),
                .c_to_query = Vector(transposed["c_to_query"]),
                .h_to_query = Vector(transposed["h_to_query"]),
                .project = Vector(transposed["project"]),
                .h_to_out = Vector(transposed["h_to_out"]),
                .attention_to_out = Vector(transposed["attention_to_out"])};
  }
  Values packed, transposed;
  AttentionWeights forward;
  AttentionTransposes backward;
};

void Forward(const Stream& stream, const Problem& p, const Weights& weights,
             Result* r) {
  const int64_t events = p.ragged.events();
  r->x = p.values.at("x");
  r->gates.resize(events * 4 * p.n);
  r->probabilities.resize(events * p.window);
  for (Floats* array :
       {&r->c, &r->h, &r->query, &r->attention, &r->out, &r->projected}) {
    array->assign(events * p.n, -7.0f);
  }
  for (Floats& window : r->window) {
    window.assign(p.ragged.rows() * p.window * p.n, -7.0f);
  }
  const auto window = [&](int i) {
    return TensorView(r->window[i].data(), {p.ragged.rows(), p.window, p.n});
  };
  ASSERT_TRUE(AttentionForward(
                  stream, {.ragged = p.ragged.view(),
                           .weights = weights.forward,
                           .window = p.window,
                           .x = Matrix(r->x, p.w),
                           .gates = Matrix(r->gates, 4 * p.n),
                           .c = Matrix(r->c, p.n),
                           .h = Matrix(r->h, p.n),
                           .query = Matrix(r->query, p.n),
                           .probabilities = Matrix(r->probabilities, p.window),
                           .attention = Matrix(r->attention, p.n),
                           .out = Matrix(r->out, p.n),
                           .projected = Matrix(r->projected, p.n),
                           .window_states = window(0),
                           .window_projected = window(1)})
                  .ok());
}

// Forward, and backward of the loss sum(dout * out).
Result ForwardBackward(int threads, const Problem& p, const Floats& dout) {
  Threads pool(threads);
  const Weights weights(p);
  Result r;
  Forward(pool.stream(), p, weights, &r);
  r.dout = dout;
  r.dprojected.assign(p.ragged.events() * p.n, -7.0f);
  r.dx.assign(p.ragged.events() * p.w, -7.0f);
  r.dscore.assign(p.n, 0.0f);
  Floats scratch[4];
  for (Floats& rows : scratch) rows.assign(p.ragged.rows() * p.n, -7.0f);
  Floats dp(p.ragged.rows() * p.window);
  const auto window = [&](int i) {
    return TensorView(r.window[i].data(), {p.ragged.rows(), p.window, p.n});
  };
  EXPECT_TRUE(
      AttentionBackward(pool.stream(),
                        {.ragged = p.ragged.view(),
                         .weights = weights.backward,
                         .score = weights.forward.score,
                         .window = p.window,
                         .gates = Matrix(r.gates, 4 * p.n),
                         .c = Matrix(r.c, p.n),
                         .query = Matrix(r.query, p.n),
                         .probabilities = Matrix(r.probabilities, p.window),
                         .out = Matrix(r.out, p.n),
                         .projected = Matrix(r.projected, p.n),
                         .dout = Matrix(r.dout, p.n),
                         .dprojected = Matrix(r.dprojected, p.n),
                         .dx = Matrix(r.dx, p.w),
                         .dscore = Vector(r.dscore),
                         .dh = Matrix(scratch[0], p.n),
                         .dc = Matrix(scratch[1], p.n),
                         .da = Matrix(scratch[2], p.n),
                         .dv = Matrix(scratch[3], p.n),
                         .dp = Matrix(dp, p.window),
                         .window_states = window(0),
                         .window_projected = window(1),
                         .window_dstates = window(2),
                         .window_dprojected = window(3)})
          .ok());
  return r;
}

TEST(AttentionTest, ForwardMatchesDoubleLoopOnEveryTarget) {
  for (const auto& lengths : Lengths()) {
    for (int n : {1, 17, 33}) {
      for (int window : {1, 4, 33}) {
        const Problem p(lengths, n, n + 3, window);
        const Doubles want = Reference(p, ToDouble(p.values));
        ForEachTarget([&] {
          Threads pool(2);
          Result r;
          Forward(pool.stream(), p, Weights(p), &r);
          for (size_t i = 0; i < want.size(); ++i) {
            ASSERT_NEAR(r.out[i], want[i], 2e-5) << n << " " << window;
          }
        });
      }
    }
  }
}

TEST(AttentionTest, BackwardMatchesFiniteDifference) {
  for (const auto& lengths : Lengths()) {
    for (int n : {1, 17}) {
      for (int window : {1, 4, 12}) {
        const Problem p(lengths, n, n + 3, window);
        const Floats dout = Random(p.ragged.events() * n, 20);
        std::map<std::string, double> slopes = ReferenceSlopes(p, dout);
        ForEachTarget([&] {
          const DoubleValues gradients =
              Gradients(p, ForwardBackward(2, p, dout));
          for (const auto& [name, gradient] : gradients) {
            const Floats direction = Direction(gradient.size());
            double slope = 0, size = 0;
            for (size_t i = 0; i < gradient.size(); ++i) {
              slope += gradient[i] * direction[i];
              size += std::pow(gradient[i], 2);
            }
            EXPECT_NEAR(slope, slopes[name], 1e-5 + 3e-6 * std::sqrt(size))
                << name << " " << n << " " << window;
          }
        });
      }
    }
  }
}

TEST(AttentionTest, SameBitsOnAnyThreads) {
  const Problem p({9, 9, 8, 8, 7, 7, 7, 7, 7, 6, 5, 5, 4, 4, 4, 2, 2, 1}, 33,
                  20, 4);
  const Floats dout = Random(p.ragged.events() * 33, 20);
  ForEachTarget([&] {
    const Result one = ForwardBackward(1, p, dout);
    for (int threads : {2, 3, 9}) {
      const Result more = ForwardBackward(threads, p, dout);
      EXPECT_EQ(one.out, more.out);
      EXPECT_EQ(one.dx, more.dx);
      EXPECT_EQ(one.dprojected, more.dprojected);
      EXPECT_EQ(one.dscore, more.dscore);
    }
  });
}

TEST(AttentionTest, NoSteps) {
  const Problem p({}, 5, 3, 4);
  EXPECT_TRUE(ForwardBackward(2, p, {}).out.empty());
}

// Decoding row by row, with windows in any place, gives the bits of the batch.
TEST(AttentionTest, StepHasTheBitsOfForward) {
  const int rows = 14, steps = 11, n = 33, w = 20;
  for (int window : {1, 4, 33}) {
    const Problem p(std::vector<int>(rows, steps), n, w, window);
    ForEachTarget([&] {
      Threads pool(3);
      const Weights weights(p);
      Result want;
      Forward(pool.stream(), p, weights, &want);
      const int64_t places = 20;  // more than rows
      std::vector<int32_t> window_row;
      for (int r = 0; r < rows; ++r) window_row.push_back(r * 7 % 20);
      Floats states(window * places * n, -7.0f);
      Floats projections(window * places * n, -7.0f);
      Floats c(rows * n), h(rows * n), a(rows * n);
      for (int t = 0; t < steps; ++t) {
        const auto x_from = p.values.at("x").begin() + t * rows * w;
        Floats x(x_from, x_from + rows * w);
        Floats gates(rows * 4 * n), probabilities(rows * window);
        Floats c_next(rows * n), h_next(rows * n), a_next(rows * n);
        Floats query(rows * n), out(rows * n), projected(rows * n);
        ASSERT_TRUE(
            AttentionStep(pool.stream(),
                          {.weights = weights.forward,
                           .window = window,
                           .step = t,
                           .c_prev = Matrix(c, n),
                           .h_prev = Matrix(h, n),
                           .attention_prev = Matrix(a, n),
                           .x = Matrix(x, w),
                           .gates = Matrix(gates, 4 * n),
                           .c = Matrix(c_next, n),
                           .h = Matrix(h_next, n),
                           .query = Matrix(query, n),
                           .probabilities = Matrix(probabilities, window),
                           .attention = Matrix(a_next, n),
                           .out = Matrix(out, n),
                           .projected = Matrix(projected, n),
                           .window_states =
                               TensorView(states.data(), {places, window, n}),
                           .window_projected = TensorView(projections.data(),
                                                          {places, window, n}),
                           .window_row = Vector(window_row)})
                .ok());
        c = c_next;
        h = h_next;
        a = a_next;
        ASSERT_TRUE(
            std::equal(out.begin(), out.end(), want.out.begin() + t * rows * n))
            << "window " << window << " step " << t;
      }
    });
  }
}

}  // namespace
}  // namespace continuo
