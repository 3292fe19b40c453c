// SPDX-License-Identifier: Apache-2.0

// Uniform numbers on every device: those of SampleUniform, to the bit.

#include "kernels/decoding/uniform.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class DrawUniformsFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, DrawUniformsFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

struct Shapes {
  int64_t steps, prefixes, searches, hypotheses, heads;
};
constexpr Shapes kShapes[] = {{0, 1, 2, 1, 1},  {1, 0, 1, 1, 1},
                              {3, 2, 0, 4, 1},  {3, 0, 31, 1, 6},
                              {2, 3, 33, 4, 1}, {5, 1, 5, 26, 2}};

TEST_P(DrawUniformsFormTest, EveryNumberIsThatOfItsPosition) {
  constexpr uint64_t kSeed = 0x123456789abcdef;
  for (const auto& [steps, prefixes, searches, hypotheses, heads] : kShapes) {
    std::vector<uint64_t> output;
    std::vector<int64_t> step;
    for (int64_t s = 0; s < searches; ++s) {
      output.push_back((uint64_t{1} << 32) * (s % 2) + 7 * s);
      step.push_back(1000 * s);
    }
    const int64_t rows = prefixes + searches * hypotheses;
    DeviceArray<uint64_t> doutput = Put(output);
    DeviceArray<int64_t> dstep = Put(step);
    DeviceArray<double> u(stream(), steps * rows * heads);
    ASSERT_TRUE(DrawUniforms(stream(), {.seed = kSeed,
                                        .prefixes = prefixes,
                                        .hypotheses = hypotheses,
                                        .output = doutput.vector(),
                                        .step = dstep.vector(),
                                        .u = u.view({steps, rows, heads})})
                    .ok());
    const std::vector<double> got = u.Read();
    int64_t slot = 0;
    for (int64_t t = 0; t < steps; ++t) {
      for (int64_t row = 0; row < rows; ++row) {
        for (int head = 0; head < heads; ++head, ++slot) {
          const int64_t hypothesis = row - prefixes;
          const double want =
              hypothesis < 0
                  ? 0
                  : SampleUniform(kSeed, output[hypothesis / hypotheses],
                                  step[hypothesis / hypotheses] + t,
                                  hypothesis % hypotheses, head);
          ASSERT_EQ(got[slot], want) << t << " " << row << " " << head;
        }
      }
    }
  }
}

}  // namespace
}  // namespace continuo
