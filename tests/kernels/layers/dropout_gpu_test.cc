// SPDX-License-Identifier: Apache-2.0

// Dropout: the documented function, the same bits on every device.

#include "kernels/layers/dropout.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

class DropoutFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, DropoutFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

TEST_P(DropoutFormTest, MaskIsTheDocumentedFunction) {
  const TestRaggedLayout shape({9, 5, 5, 1});
  const std::vector<int32_t> source = {2, 0, 3, 1};
  DeviceRaggedLayout ragged(stream(), shape);
  DeviceArray<int32_t> dsource = Put(source);
  const uint64_t seed = 0x123456789abcdefull, step = 5'000'000'000ull;
  DeviceArray<uint64_t> dstep = Put(std::vector<uint64_t>{step});
  // Rows past the events are those of a longer batch.
  const int64_t rows = shape.events() + 3;
  for (const int n : {1, 31, 33, 128, 130}) {
    for (const double keep_prob : {1e-12, 0.25, 0.9, 1.0}) {
      for (const bool in_place : {false, true}) {
        const Floats x = Random(rows * n, 1);
        DeviceArray<float> dx = Put(x), other = Put(Floats(rows * n, -7.0f));
        DeviceArray<float>& out = in_place ? dx : other;
        ASSERT_TRUE(Dropout(stream(), {.ragged = ragged.view(),
                                       .source = dsource.vector(),
                                       .x = dx.matrix(n),
                                       .out = out.matrix(n),
                                       .keep_prob = keep_prob,
                                       .seed = seed,
                                       .step = dstep.vector(),
                                       .layer = 2})
                        .ok());
        const std::vector<float> got = out.Read();
        const float scale = static_cast<float>(1 / keep_prob);
        for (int t = 0; t < shape.steps(); ++t) {
          for (int row = 0; row < shape.batch_sizes[t]; ++row) {
            for (int k = 0; k < n; ++k) {
              const uint64_t index =
                  uint64_t{2} << 56 | static_cast<uint64_t>(source[row]) << 36 |
                  static_cast<uint64_t>(t) << 12 | static_cast<uint64_t>(k / 4);
              const uint32_t number =
                  RandomBlock(seed, RandomPurpose::kDropout, step, index)
                      .v[k % 4];
              const bool keep =
                  number < std::max(1.0, keep_prob * 4294967296.0);
              const int64_t at = shape.event(t, row) * n + k;
              ASSERT_EQ(got[at], keep ? x[at] * scale : 0.0f) << n << " " << at;
            }
          }
        }
        for (int64_t i = shape.events() * n; i < rows * n; ++i) {
          ASSERT_EQ(got[i], in_place ? x[i] : -7.0f);
        }
      }
    }
  }
}

TEST_P(DropoutFormTest, StepByStepHasTheSameMask) {
  const TestRaggedLayout shape({4, 3, 3, 1});
  DeviceRaggedLayout ragged(stream(), shape);
  DeviceArray<int32_t> source = Put(std::vector<int32_t>{2, 0, 3, 1});
  DeviceArray<uint64_t> step = Put(std::vector<uint64_t>{5});
  const int64_t n = 30;
  DeviceArray<float> x = Put(Random(shape.events() * n, 1));
  DeviceArray<float> whole = NewFloats(x.size()), parts = NewFloats(x.size());
  DropoutArgs args = {.ragged = ragged.view(),
                      .source = source.vector(),
                      .x = x.matrix(n),
                      .out = whole.matrix(n),
                      .keep_prob = 0.6,
                      .seed = 11,
                      .step = step.vector(),
                      .layer = 1};
  ASSERT_TRUE(Dropout(stream(), args).ok());
  args.out = parts.matrix(n);
  const RaggedLayout all = ragged.view();
  for (int64_t t = 0; t < shape.steps(); ++t) {
    args.ragged = {
        .batch_sizes = TensorView(all.batch_sizes.data<int32_t>() + t, {1}),
        .step_begin = TensorView(all.step_begin.data<int32_t>() + t, {2}),
        .rows = shape.batch_sizes[t]};
    args.first_step = t;
    ASSERT_TRUE(Dropout(stream(), args).ok());
  }
  EXPECT_EQ(parts.Read(), whole.Read());
}

TEST_P(DropoutFormTest, ShorterBatchesOfARecordedShape) {
  if (!on_gpu()) GTEST_SKIP() << "layouts with zeros are for graphs";
  const int64_t n = 12;
  const Floats x(5 * n, 1.0f);
  DeviceArray<float> dx = Put(x), out = Put(Floats(5 * n, -7.0f));
  DeviceArray<int32_t> batch_sizes = Put(std::vector<int32_t>{2, 1, 0, 0});
  DeviceArray<int32_t> begin = Put(std::vector<int32_t>{0, 2, 3, 3, 3});
  DeviceArray<int32_t> source = Put(std::vector<int32_t>{1, 0, 0, 0});
  DeviceArray<uint64_t> step = Put(std::vector<uint64_t>{4});
  ASSERT_TRUE(Dropout(stream(), {.ragged = {.batch_sizes = batch_sizes.vector(),
                                            .step_begin = begin.vector(),
                                            .rows = 4},
                                 .source = source.vector(),
                                 .x = dx.matrix(n),
                                 .out = out.matrix(n),
                                 .keep_prob = 1,
                                 .step = step.vector()})
                  .ok());
  const std::vector<float> got = out.Read();
  for (int64_t i = 0; i < 5 * n; ++i) {
    ASSERT_EQ(got[i], i < 3 * n ? 1.0f : -7.0f) << i;
  }
}

}  // namespace
}  // namespace continuo
