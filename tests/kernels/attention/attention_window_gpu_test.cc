// SPDX-License-Identifier: Apache-2.0

// The gradient of the attention window on every device and at every precision,
// against a double loop.

#include <algorithm>
#include <cmath>

#include "kernels/attention/attention_window.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

using Doubles = std::vector<double>;

struct Problem {
  Problem(const std::vector<int>& lengths, int units, int slots, int at)
      : ragged(lengths),
        n(units),
        window(slots),
        step(at),
        rows(ragged.batch_sizes[at]),
        out(Random(ragged.events() * n, 1)),
        projected(Random(ragged.events() * n, 2)),
        score(Random(n, 3, 2 / std::sqrt(n))),
        query(Random(rows * n, 4)),
        dattention(Random(rows * n, 5)),
        dout(Random(ragged.events() * n, 6)),
        dprojected(Random(ragged.events() * n, 7)),
        dscore(Random(rows * n, 8)) {}

  TestRaggedLayout ragged;
  int n, window, step;
  int64_t rows;
  Floats out, projected, score, query, dattention;
  Floats dout, dprojected, dscore;  // what is added to
};

struct Result {
  Doubles probabilities, query, dout, dprojected, dscore;
};

// Slot j of a row's window before the step; -1 is an empty one.
int64_t EventOf(const Problem& p, int64_t row, int j) {
  const int t = p.step - p.window + j;
  return t < 0 ? -1 : p.ragged.event(t, row);
}

Result Reference(const Problem& p) {
  Result r;
  const auto doubles = [](const Floats& from) {
    return Doubles(from.begin(), from.end());
  };
  r.dout = doubles(p.dout);
  r.dprojected = doubles(p.dprojected);
  r.dscore = doubles(p.dscore);
  r.query.assign(p.rows * p.n, 0.0);
  for (int64_t row = 0; row < p.rows; ++row) {
    const auto tanh_of = [&](int j, int k) {
      const int64_t event = EventOf(p, row, j);
      return std::tanh(
          (event < 0 ? 0.0 : double{p.projected[event * p.n + k]}) +
          p.query[row * p.n + k]);
    };
    Doubles weight(p.window), dweight(p.window);
    double sum = 0, mean = 0;
    for (int j = 0; j < p.window; ++j) {
      double score = 0;
      for (int k = 0; k < p.n; ++k) score += p.score[k] * tanh_of(j, k);
      weight[j] = std::exp(score);
      sum += weight[j];
    }
    for (int j = 0; j < p.window; ++j) {
      weight[j] /= sum;
      r.probabilities.push_back(weight[j]);
      const int64_t event = EventOf(p, row, j);
      for (int k = 0; event >= 0 && k < p.n; ++k) {
        const double da = p.dattention[row * p.n + k];
        dweight[j] += da * p.out[event * p.n + k];
        r.dout[event * p.n + k] += weight[j] * da;
      }
      mean += weight[j] * dweight[j];
    }
    for (int j = 0; j < p.window; ++j) {
      const double ds = weight[j] * (dweight[j] - mean);
      const int64_t event = EventOf(p, row, j);
      for (int k = 0; k < p.n; ++k) {
        const double y = tanh_of(j, k);
        const double gradient = ds * p.score[k] * (1 - y * y);
        r.dscore[row * p.n + k] += ds * y;
        r.query[row * p.n + k] += gradient;
        if (event >= 0) r.dprojected[event * p.n + k] += gradient;
      }
    }
  }
  return r;
}

class WindowBackwardTest : public FormTest {
 protected:
  void ExpectMatch(const Problem& p) const;
};
INSTANTIATE_TEST_SUITE_P(Forms, WindowBackwardTest, ::testing::ValuesIn(kForms),
                         FormName);

void WindowBackwardTest::ExpectMatch(const Problem& p) const {
  const Result want = Reference(p);
  DeviceRaggedLayout ragged(stream(), p.ragged);
  DeviceArray<float> out = Put(p.out), projected = Put(p.projected);
  DeviceArray<float> score = Put(p.score), dattention = Put(p.dattention);
  DeviceArray<float> probabilities =
      Put(Floats(want.probabilities.begin(), want.probabilities.end()));
  DeviceArray<float> query = Put(p.query), dout = Put(p.dout);
  DeviceArray<float> dprojected = Put(p.dprojected), dscore = Put(p.dscore);
  DeviceArray<float> dp = NewFloats(p.rows * p.window);
  const absl::Status status = AttendWindowBackward(
      stream(), {.step = p.step,
                 .step_begin = ragged.view().step_begin,
                 .out = out.matrix(p.n),
                 .projected = projected.matrix(p.n),
                 .score = score.vector(),
                 .probabilities = probabilities.matrix(p.window),
                 .dattention = dattention.matrix(p.n),
                 .query = query.matrix(p.n),
                 .dout = dout.matrix(p.n),
                 .dprojected = dprojected.matrix(p.n),
                 .dscore = dscore.matrix(p.n),
                 .dp = dp.matrix(p.window)});
  ASSERT_TRUE(status.ok()) << status;
  const double tolerance = Tolerance(1e-5, 1e-5, 1e-2);
  const auto compare = [&](const std::vector<float>& got, const Doubles& wanted,
                           const char* what) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i], wanted[i], tolerance) << what << " " << i;
    }
  };
  compare(query.Read(), want.query, "query");
  compare(dout.Read(), want.dout, "dout");
  compare(dprojected.Read(), want.dprojected, "dprojected");
  compare(dscore.Read(), want.dscore, "dscore");
}

// The first step, windows that fill, full ones, of ragged rows.
TEST_P(WindowBackwardTest, MatchesDoubleLoop) {
  const std::vector<int> lengths = {9, 9, 7, 5, 2, 1};
  for (const int n : {1, 31, 33, 130, 300}) {
    for (const int window : {1, 4, 7}) {
      for (const int step : {0, 1, 4, 8}) {
        SCOPED_TRACE(::testing::Message() << "n " << n << ", window " << window
                                          << ", step " << step);
        ExpectMatch(Problem(lengths, n, window, step));
      }
    }
  }
}

TEST_P(WindowBackwardTest, SizesOfPublishedNetworks) {
  ExpectMatch(Problem({42, 42, 40}, 128, 40, 41));
}

}  // namespace
}  // namespace continuo
