// SPDX-License-Identifier: Apache-2.0

// Sampling on a GPU draws what the CPU draws.

#include <limits>

#include "kernels/decoding/sampling.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

constexpr int32_t kNoRow = std::numeric_limits<int32_t>::max();

class SamplingFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, SamplingFormTest,
                         ::testing::ValuesIn(kFp32Forms), FormName);

struct Problem {
  Problem(std::vector<int> sizes, int64_t num_rows)
      : heads(std::move(sizes)), rows(num_rows) {
    for (int size : heads) width += size;
    logits = Random(rows * width, 1, 6.0);
    for (int64_t i = 0; i < rows * num_heads(); ++i) {
      u.push_back(RandomDouble(5, RandomPurpose::kSample, 0, i));
    }
  }
  int64_t num_heads() const { return static_cast<int64_t>(heads.size()); }

  std::vector<int> heads;
  int64_t rows;
  int64_t width = 0;
  Floats logits;
  std::vector<double> u;
  std::vector<int64_t> teacher_forced;  // empty: none
  SamplingParams sampling;
};

struct Result {
  absl::Status status;
  std::vector<int64_t> choice;
  std::vector<double> log_p;
  std::vector<double> probabilities;
  int32_t bad_row;
};

Result Compute(const Stream& stream, const Problem& p) {
  const Shape slots = {p.rows, p.num_heads()};
  DeviceArray<float> logits(stream, p.logits);
  DeviceArray<double> u(stream, p.u);
  DeviceArray<int64_t> teacher_forced(stream, p.teacher_forced);
  DeviceArray<int64_t> choice(stream, p.rows * p.num_heads());
  DeviceArray<double> log_p(stream, p.rows);
  DeviceArray<double> probabilities(stream,
                                    std::vector<double>(p.rows * p.width));
  DeviceArray<int32_t> bad_row(stream, std::vector<int32_t>{kNoRow});
  Result result;
  result.status =
      Sample(stream, {.logits = logits.matrix(p.width),
                      .head_sizes = p.heads,
                      .sampling = p.sampling,
                      .u = u.view(slots),
                      .teacher_forced = p.teacher_forced.empty()
                                            ? TensorView()
                                            : teacher_forced.view(slots),
                      .choice = choice.view(slots),
                      .log_p = log_p.vector(),
                      .probabilities = probabilities.matrix(p.width),
                      .bad_row = bad_row.vector()});
  result.choice = choice.Read();
  result.log_p = log_p.Read();
  result.probabilities = probabilities.Read();
  result.bad_row = bad_row.Read()[0];
  return result;
}

// The classes are equal, which holds as long as no draw lies within rounding of
// the share of a class; numbers are equal up to the last bits of exp and log.
void ExpectAsOnTheCpu(const Stream& stream, const Problem& p) {
  Threads cpu(1);
  const Result want = Compute(cpu.stream(), p);
  const Result got = Compute(stream, p);
  ASSERT_TRUE(want.status.ok() && got.status.ok());
  EXPECT_EQ(got.choice, want.choice);
  for (int64_t n = 0; n < p.rows; ++n) {
    ASSERT_NEAR(got.log_p[n], want.log_p[n],
                1e-13 * (1 + std::abs(want.log_p[n])));
  }
  for (size_t i = 0; i < want.probabilities.size(); ++i) {
    ASSERT_NEAR(got.probabilities[i], want.probabilities[i],
                1e-14 * want.probabilities[i]);
  }
  EXPECT_EQ(got.bad_row, kNoRow);
}

TEST_P(SamplingFormTest, DrawsTheClassesOfTheCpu) {
  const std::vector<int> sizes[] = {{1}, {31}, {33, 5}, {38}, {130}, {388}};
  for (const std::vector<int>& heads : sizes) {
    for (const int64_t rows : {0, 1, 31, 33}) {
      Problem p(heads, rows);
      ExpectAsOnTheCpu(stream(), p);
      p.sampling.temperature = 0.5;
      ExpectAsOnTheCpu(stream(), p);
    }
  }
}

TEST_P(SamplingFormTest, TruncatesAsTheCpuDoes) {
  for (const std::vector<int>& heads :
       {std::vector<int>{5}, {38}, {9, 33, 2}, {388}}) {
    Problem p(heads, 33);
    // Equal logits, which only their order tells apart.
    for (size_t i = 0; i < p.logits.size(); i += 3) {
      p.logits[i] = std::round(p.logits[i]);
    }
    for (const int top_k : {0, 1, 3, 500}) {
      for (const double top_p : {0.0, 0.7, 0.999, 1.0}) {
        p.sampling.top_k = top_k;
        p.sampling.top_p = top_p;
        ExpectAsOnTheCpu(stream(), p);
      }
    }
  }
}

TEST_P(SamplingFormTest, ForcedClassesAreScoredNotDrawn) {
  Problem p({4, 33}, 40);
  for (int64_t n = 0; n < p.rows; ++n) {
    p.teacher_forced.push_back(n % 3 == 0 ? -1 : n % 4);
    p.teacher_forced.push_back(n % 5 == 0 ? -1 : n % 33);
  }
  ExpectAsOnTheCpu(stream(), p);
  const Result got = Compute(stream(), p);
  for (size_t i = 0; i < p.teacher_forced.size(); ++i) {
    if (p.teacher_forced[i] < 0) continue;
    EXPECT_EQ(got.choice[i], p.teacher_forced[i]);
  }
}

TEST_P(SamplingFormTest, DrawsAtTheEdges) {
  Problem p({33}, 3);
  p.logits.assign(p.logits.size(), 0.0f);
  // Classes of probability zero are never drawn.
  for (int64_t n = 0; n < 3; ++n) {
    p.logits[n * 33] = p.logits[n * 33 + 32] =
        -std::numeric_limits<float>::infinity();
  }
  p.u = {0, 0.5, 0.99999999999999989};
  const Result got = Compute(stream(), p);
  EXPECT_EQ(got.choice, (std::vector<int64_t>{1, 16, 31}));
  p.sampling.temperature = 1e-6;
  p.logits[33 + 5] = 3e38f;
  EXPECT_EQ(Compute(stream(), p).choice[1], 5);
}

TEST_P(SamplingFormTest, RowsWithLogitsThatAreNotFinite) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(),
                    std::numeric_limits<float>::infinity()}) {
    Problem p({2, 3}, 40);
    p.logits[17 * 5 + 3] = p.logits[30 * 5] = bad;
    const Result got = Compute(stream(), p);
    if (!on_gpu()) {
      EXPECT_EQ(got.status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(got.status.message(), "the logits of row 17 are not finite");
      continue;
    }
    ASSERT_TRUE(got.status.ok());
    EXPECT_EQ(got.bad_row, 17);
    for (int64_t n = 0; n < p.rows; ++n) {
      EXPECT_EQ(std::isnan(got.log_p[n]), n == 17 || n == 30);
    }
    EXPECT_EQ(got.choice[17 * 2] + got.choice[17 * 2 + 1], 0);
  }
}

}  // namespace
}  // namespace continuo
