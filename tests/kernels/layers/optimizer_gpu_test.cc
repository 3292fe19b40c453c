// SPDX-License-Identifier: Apache-2.0

// Clipping and Adam on every device, against a double loop.

#include "kernels/layers/optimizer.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class ClipAdamFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, ClipAdamFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

TEST_P(ClipAdamFormTest, MatchesDoubleLoop) {
  // Multiples of four, as models have them, and any.
  for (const std::vector<int64_t>& begin :
       {std::vector<int64_t>{0, 16, 48, 64, 1264, 3264},
        std::vector<int64_t>{0, 1, 32, 65, 195, 1196, 1197}}) {
    const int64_t size = begin.back();
    const int64_t tensors = static_cast<int64_t>(begin.size()) - 1;
    const Floats gradient = Random(size, 7, 2.0);
    const Floats w = Random(size, 1), m = Random(size, 2);
    Floats v = Random(size, 3);
    for (float& x : v) x = std::abs(x);
    for (double clip_norm : {0.0, -1.0, 5.0, 1e6}) {
      DeviceArray<int64_t> dbegin = Put(begin);
      DeviceArray<float> dgradient = Put(gradient), dw = Put(w), dm = Put(m),
                         dv = Put(v);
      DeviceArray<float> rate = Put(std::vector<float>{0.01f});
      DeviceArray<double> norms(stream(), tensors);
      DeviceArray<double> scratch(stream(), ClipAdamScratch(stream(), tensors));
      ASSERT_TRUE(ClipAdam(stream(), {.tensor_begin = dbegin.vector(),
                                      .gradient = dgradient.vector(),
                                      .weights = dw.vector(),
                                      .m = dm.vector(),
                                      .v = dv.vector(),
                                      .adam = {.clip_norm = clip_norm},
                                      .rate = rate.vector(),
                                      .squared_norms = norms.vector(),
                                      .scratch = scratch.vector()})
                      .ok());
      const std::vector<double> got_norms = norms.Read();
      const std::vector<float> got_w = dw.Read(), got_m = dm.Read(),
                               got_v = dv.Read();
      EXPECT_EQ(dgradient.Read(),
                std::vector<float>(gradient.begin(), gradient.end()));
      int clipped = 0;
      for (int64_t t = 0; t < tensors; ++t) {
        double squares = 0;
        for (int64_t i = begin[t]; i < begin[t + 1]; ++i) {
          squares += std::pow(gradient[i], 2);
        }
        EXPECT_NEAR(got_norms[t], squares, 1e-12 * squares);
        const bool clip = clip_norm > 0 && std::sqrt(squares) > clip_norm;
        clipped += clip;
        const double scale = clip ? clip_norm / std::sqrt(squares) : 1.0;
        for (int64_t i = begin[t]; i < begin[t + 1]; ++i) {
          const double g = gradient[i] * scale;
          const double new_m = 0.9 * m[i] + 0.1 * g;
          const double new_v = 0.999 * v[i] + 0.001 * g * g;
          ASSERT_NEAR(got_m[i], new_m, 1e-6);
          ASSERT_NEAR(got_v[i], new_v, 1e-6);
          ASSERT_NEAR(got_w[i], w[i] - 0.01 * new_m / (std::sqrt(new_v) + 1e-8),
                      1e-6);
        }
      }
      EXPECT_EQ(clipped > 0, clip_norm == 5.0);
    }
  }
}

// Tensors that all parts have several runs of.
TEST_P(ClipAdamFormTest, LargeTensor) {
  const std::vector<int64_t> begin = {0, 200'003};
  const Floats gradient = Random(begin[1], 7);
  DeviceArray<int64_t> dbegin = Put(begin);
  DeviceArray<float> dgradient = Put(gradient);
  DeviceArray<float> w = Put(Floats(begin[1])), m = Put(Floats(begin[1])),
                     v = Put(Floats(begin[1]));
  DeviceArray<float> rate = Put(std::vector<float>{1.0f});
  DeviceArray<double> norms(stream(), int64_t{1});
  DeviceArray<double> scratch(stream(), ClipAdamScratch(stream(), 1));
  ASSERT_TRUE(
      ClipAdam(stream(), {.tensor_begin = dbegin.vector(),
                          .gradient = dgradient.vector(),
                          .weights = w.vector(),
                          .m = m.vector(),
                          .v = v.vector(),
                          .adam = {.beta1 = 0, .beta2 = 0, .epsilon = 1},
                          .rate = rate.vector(),
                          .squared_norms = norms.vector(),
                          .scratch = scratch.vector()})
          .ok());
  const std::vector<float> got = w.Read();
  double squares = 0;
  for (int64_t i = 0; i < begin[1]; ++i) {
    const double g = gradient[i];
    squares += g * g;
    ASSERT_NEAR(got[i], -g / (std::abs(g) + 1), 1e-6);
  }
  EXPECT_NEAR(norms.Read()[0], squares, 1e-11 * squares);
}

}  // namespace
}  // namespace continuo
