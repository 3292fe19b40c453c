// SPDX-License-Identifier: Apache-2.0

// The attention cell on every device and at every precision, in its plain form;
// its decoding steps and window.

#include <algorithm>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_window.h"
#include "tests/kernels/attention/attention_device.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

struct Sizes {
  int n;
  int window;
};
constexpr Sizes kSizes[] = {{1, 4}, {17, 1}, {33, 4}};

class AttentionFormTest : public FormTest {
 protected:
  Stream Plain() const {
    Stream plain = stream();
    plain.options.form = RecurrentForm::kStepwise;
    return plain;
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, AttentionFormTest, ::testing::ValuesIn(kForms),
                         FormName);

TEST_P(AttentionFormTest, MatchesDoubleLoop) {
  const auto expect = [&](const std::vector<int>& lengths, const Sizes& sizes) {
    ExpectMatchesDoubleLoop(Plain(), lengths, sizes.n, sizes.window,
                            Tolerance(2e-5, 1e-2, 1e-1),
                            Tolerance(1e-5, 3e-3, 3e-2));
  };
  for (const auto& lengths : Lengths()) {
    for (const Sizes& sizes : kSizes) expect(lengths, sizes);
  }
  expect({3, 1}, {130, 4});
  expect({4, 3, 1}, {128, 2});
}

TEST_P(AttentionFormTest, PaddedGraphHasTheSameBits) {
  if (!on_gpu()) GTEST_SKIP() << "of GPU forms";
  ExpectPaddedGraphHasTheSameBits(Plain(), 20);
}

TEST_P(AttentionFormTest, RowsAreIndependent) {
  if (!on_gpu()) GTEST_SKIP() << "of GPU forms";
  ExpectRowsAreIndependent(Plain(), 20);
}

TEST_P(AttentionFormTest, NoSteps) {
  const Problem p({}, 5, 3, 4);
  EXPECT_TRUE(RunBoth(stream(), p, {}).out.empty());
}

// Decoding row by row, with windows in any place, gives what the batch gives.
TEST_P(AttentionFormTest, StepsMatchDoubleLoop) {
  const int rows = 5, steps = 6;
  for (const auto& [n, window] : kSizes) {
    const int w = n + 2;
    const Problem p(std::vector<int>(rows, steps), n, w, window);
    const Doubles want = Reference(p, ToDouble(p.values));
    const DeviceWeights weights(stream(), p);
    const int64_t places = 7;
    DeviceArray<int32_t> window_row = Put(std::vector<int32_t>{3, 0, 6, 1, 5});
    DeviceArray<float> states = NewFloats(window * places * n);
    DeviceArray<float> projections = NewFloats(window * places * n);
    // Two sets of the carried arrays, which take turns.
    const Floats zeros(rows * n, 0.0f);
    DeviceArray<float> c[2] = {Put(zeros), Put(zeros)};
    DeviceArray<float> h[2] = {Put(zeros), Put(zeros)};
    DeviceArray<float> a[2] = {Put(zeros), Put(zeros)};
    DeviceArray<float> query = NewFloats(rows * n), out = NewFloats(rows * n);
    DeviceArray<float> projected = NewFloats(rows * n);
    DeviceArray<float> probabilities = NewFloats(rows * window);
    GateArray gates(stream(), GateType(stream()), rows * 4 * n);
    DeviceArray<float> scratch =
        NewFloats(AttentionScratch(stream(), rows, n, w));
    for (int t = 0; t < steps; ++t) {
      const auto from = p.values.at("x").begin() + t * rows * w;
      DeviceArray<float> x = Put(Floats(from, from + rows * w));
      const int now = t % 2, before = 1 - now;
      ASSERT_TRUE(
          AttentionStep(
              stream(),
              {.weights = weights.forward,
               .window = window,
               .step = t,
               .c_prev = c[before].matrix(n),
               .h_prev = h[before].matrix(n),
               .attention_prev = a[before].matrix(n),
               .x = x.matrix(w),
               .gates = gates.matrix(4 * n),
               .c = c[now].matrix(n),
               .h = h[now].matrix(n),
               .query = query.matrix(n),
               .probabilities = probabilities.matrix(window),
               .attention = a[now].matrix(n),
               .out = out.matrix(n),
               .projected = projected.matrix(n),
               .window_states = states.view({places, window, n}),
               .window_projected = projections.view({places, window, n}),
               .window_row = window_row.vector(),
               .scratch = scratch.vector()})
              .ok());
      const std::vector<float> got = out.Read();
      for (int64_t i = 0; i < rows * n; ++i) {
        ASSERT_NEAR(got[i], want[t * rows * n + i], Tolerance(2e-5, 1e-2, 1e-1))
            << "n " << n << ", window " << window << ", step " << t;
      }
    }
  }
}

// The window alone: what it attends to, and what enters it.
TEST_P(AttentionFormTest, WindowMatchesDoubleLoop) {
  const int rows = 3, places = 5;
  const std::vector<int32_t> place = {4, 0, 2};
  for (const auto& [n, window] : {Sizes{1, 1}, {31, 4}, {130, 33}}) {
    for (const int step : {0, 1, 3, 70}) {
      const int64_t ring = int64_t{window} * n;
      Floats states = Random(places * ring, 1);
      Floats projected = Random(places * ring, 2);
      const Floats v = Random(n, 3, 2.0), q = Random(rows * n, 4);
      const Floats out = Random(rows * n, 5), out_w = Random(rows * n, 6);
      DeviceArray<float> dstates = Put(states), dprojected = Put(projected);
      DeviceArray<int32_t> dplace = Put(place);
      DeviceArray<float> dv = Put(v), dq = Put(q), dout = Put(out);
      DeviceArray<float> dout_w = Put(out_w);
      DeviceArray<float> probabilities = NewFloats(rows * window);
      DeviceArray<float> attention = NewFloats(rows * n);
      const WindowArrays arrays = {
          .step = step,
          .states = dstates.view({places, window, n}),
          .projected = dprojected.view({places, window, n}),
          .row = dplace.vector()};
      ASSERT_TRUE(
          AttendWindow(stream(), {.window = arrays,
                                  .score = dv.vector(),
                                  .query = dq.matrix(n),
                                  .probabilities = probabilities.matrix(window),
                                  .attention = attention.matrix(n)})
              .ok());
      ASSERT_TRUE(EnterWindow(stream(), {.window = arrays,
                                         .out = dout.matrix(n),
                                         .projected = dout_w.matrix(n)})
                      .ok());
      const std::vector<float> p = probabilities.Read(), a = attention.Read();
      const double tolerance = Tolerance(2e-6, 2e-6, 2e-3);
      for (int r = 0; r < rows; ++r) {
        Doubles weight(window), context(n, 0.0);
        double total = 0;
        const auto event = [&](int j) { return step - window + j; };
        for (int j = 0; j < window; ++j) {
          double s = 0;
          for (int k = 0; k < n; ++k) {
            const double m =
                event(j) < 0
                    ? 0.0
                    : projected[place[r] * ring + event(j) % window * n + k];
            s += v[k] * std::tanh(m + q[r * n + k]);
          }
          weight[j] = std::exp(s);
          total += weight[j];
        }
        for (int j = 0; j < window; ++j) {
          ASSERT_NEAR(p[r * window + j], weight[j] / total, tolerance);
          for (int k = 0; k < n && event(j) >= 0; ++k) {
            context[k] += weight[j] / total *
                          states[place[r] * ring + event(j) % window * n + k];
          }
        }
        for (int k = 0; k < n; ++k) {
          ASSERT_NEAR(a[r * n + k], context[k], tolerance)
              << "n " << n << ", window " << window << ", step " << step;
          const int64_t at = place[r] * ring + step % window * n + k;
          states[at] = out[r * n + k];
          projected[at] = out_w[r * n + k];
        }
      }
      EXPECT_TRUE(
          std::equal(states.begin(), states.end(), dstates.Read().begin()));
      EXPECT_TRUE(std::equal(projected.begin(), projected.end(),
                             dprojected.Read().begin()));
    }
  }
}

}  // namespace
}  // namespace continuo
