// SPDX-License-Identifier: Apache-2.0

#include "kernels/decoding/sampling.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/random.h"

namespace continuo {
namespace {

// One call on `threads` threads; outputs are left in the members.
struct Sampler {
  explicit Sampler(std::vector<int> sizes, int threads = 1)
      : heads(std::move(sizes)), pool(threads) {}

  absl::Status Run(const std::vector<float>& logits,
                   const std::vector<double>& u) {
    int64_t width = 0;
    for (int size : heads) width += size;
    const int64_t rows = static_cast<int64_t>(logits.size()) / width;
    const int64_t num_heads = static_cast<int64_t>(heads.size());
    choice.assign(rows * num_heads, -7);
    log_p.assign(rows, 0);
    probabilities.assign(logits.size(), 0);
    args.logits = TensorView(logits.data(), {rows, width});
    args.head_sizes = heads;
    args.u = TensorView(u.data(), {rows, num_heads});
    if (!teacher_forced.empty()) {
      args.teacher_forced =
          TensorView(teacher_forced.data(), {rows, num_heads});
    }
    args.choice = TensorView(choice.data(), {rows, num_heads});
    args.log_p = TensorView(log_p.data(), {rows});
    args.probabilities = TensorView(probabilities.data(), {rows, width});
    return Sample({.device = {}, .pool = &pool}, args);
  }

  std::vector<int> heads;
  ThreadPool pool;
  SampleArgs args;
  std::vector<int64_t> teacher_forced;
  std::vector<int64_t> choice;
  std::vector<double> log_p;
  std::vector<double> probabilities;
};

std::vector<float> Logs(const std::vector<double>& p) {
  std::vector<float> logits;
  for (double value : p) logits.push_back(static_cast<float>(std::log(value)));
  return logits;
}

TEST(SamplingTest, TakesFirstClassWhoseCumulativeShareExceedsTheDraw) {
  const std::vector<float> logits = Logs({0.25, 0.5, 0.25});
  const std::vector<std::pair<double, int>> cases = {
      {0.0, 0},    {0.2499, 0}, {0.2501, 1},
      {0.7499, 1}, {0.7501, 2}, {0.9999999999999999, 2}};
  for (const auto& [u, want] : cases) {
    Sampler sampler({3});
    ASSERT_TRUE(sampler.Run(logits, {u}).ok());
    EXPECT_EQ(sampler.choice[0], want) << u;
    EXPECT_NEAR(sampler.log_p[0], std::log(want == 1 ? 0.5 : 0.25), 1e-7);
  }
}

TEST(SamplingTest, TemperatureDividesTheLogits) {
  Sampler sampler({3});
  sampler.args.sampling.temperature = 0.5;
  ASSERT_TRUE(sampler.Run({0.0f, 1.0f, -2.0f}, {0.5}).ok());
  const double a = 1, b = std::exp(2.0), c = std::exp(-4.0);
  EXPECT_NEAR(sampler.probabilities[0], a / (a + b + c), 1e-12);
  EXPECT_NEAR(sampler.probabilities[1], b / (a + b + c), 1e-12);
  EXPECT_NEAR(sampler.probabilities[2], c / (a + b + c), 1e-12);
}

TEST(SamplingTest, HugeLogitsAndTinyTemperatureStayFinite) {
  Sampler sampler({2});
  sampler.args.sampling.temperature = 1e-6;
  ASSERT_TRUE(sampler.Run({3e38f, -3e38f}, {0.9999}).ok());
  EXPECT_EQ(sampler.choice[0], 0);
  EXPECT_EQ(sampler.log_p[0], 0);
}

TEST(SamplingTest, HeadsAreDrawnIndependentlyAndTheirLogsAdd) {
  Sampler sampler({2, 3});
  const std::vector<float> logits = Logs({0.5, 0.5, 0.25, 0.25, 0.5});
  ASSERT_TRUE(sampler.Run(logits, {0.6, 0.3}).ok());
  EXPECT_EQ(sampler.choice, (std::vector<int64_t>{1, 1}));
  EXPECT_NEAR(sampler.log_p[0], std::log(0.5) + std::log(0.25), 1e-6);
}

TEST(SamplingTest, ForcedClassesAreScoredNotDrawn) {
  Sampler sampler({3});
  sampler.teacher_forced = {2, -1};
  sampler.args.sampling.top_k = 1;
  std::vector<float> logits = Logs({0.5, 0.25, 0.25});
  logits.insert(logits.end(), logits.begin(), logits.begin() + 3);
  ASSERT_TRUE(sampler.Run(logits, {0.0, 0.9}).ok());
  EXPECT_EQ(sampler.choice, (std::vector<int64_t>{2, 0}));
  EXPECT_NEAR(sampler.log_p[0], std::log(0.25), 1e-6);
  EXPECT_NEAR(sampler.log_p[1], std::log(0.5), 1e-6);
}

TEST(SamplingTest, TopKKeepsTheMostProbableLowerIndexFirst) {
  Sampler sampler({4});
  sampler.args.sampling.top_k = 2;
  const std::vector<float> logits = {0.0f, 1.0f, 0.0f, -1.0f};
  ASSERT_TRUE(sampler.Run(logits, {0.0}).ok());
  EXPECT_EQ(sampler.choice[0], 0);
  ASSERT_TRUE(sampler.Run(logits, {0.999}).ok());
  EXPECT_EQ(sampler.choice[0], 1);
}

TEST(SamplingTest, TopPKeepsTheFewestClassesThatReachTheShare) {
  const std::vector<float> logits = Logs({0.1, 0.5, 0.1, 0.3});
  Sampler sampler({4});
  sampler.args.sampling.top_p = 0.79;  // classes 1 and 3
  ASSERT_TRUE(sampler.Run(logits, {0.0}).ok());
  EXPECT_EQ(sampler.choice[0], 1);
  ASSERT_TRUE(sampler.Run(logits, {0.62}).ok());
  EXPECT_EQ(sampler.choice[0], 1);
  ASSERT_TRUE(sampler.Run(logits, {0.63}).ok());
  EXPECT_EQ(sampler.choice[0], 3);
  sampler.args.sampling.top_p = 0.0;  // never fewer than one
  ASSERT_TRUE(sampler.Run(logits, {0.999}).ok());
  EXPECT_EQ(sampler.choice[0], 1);
  sampler.args.sampling.top_p =
      0.6;  // of what top_k left: 0.5 of 0.8 is enough
  sampler.args.sampling.top_k = 2;
  ASSERT_TRUE(sampler.Run(logits, {0.999}).ok());
  EXPECT_EQ(sampler.choice[0], 1);
}

TEST(SamplingTest, FrequenciesFollowTheProbabilities) {
  const std::vector<double> p = {0.1, 0.4, 0.2, 0.3};
  const int rows = 20000;
  std::vector<float> logits;
  std::vector<double> u;
  for (int n = 0; n < rows; ++n) {
    const std::vector<float> row = Logs(p);
    logits.insert(logits.end(), row.begin(), row.end());
    u.push_back(RandomDouble(7, RandomPurpose::kSample, 0, n));
  }
  Sampler sampler({4}, 3);
  ASSERT_TRUE(sampler.Run(logits, u).ok());
  std::vector<double> count(4);
  for (int64_t choice : sampler.choice) count[choice] += 1.0 / rows;
  // Five standard deviations of a share of 0.4.
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(count[i], p[i], 0.018) << i;
}

TEST(SamplingTest, ThreadsDoNotChangeResults) {
  const int rows = 1001, classes = 33;
  std::vector<float> logits;
  std::vector<double> u;
  for (int i = 0; i < rows * classes; ++i) {
    logits.push_back(
        static_cast<float>(4 * RandomDouble(3, RandomPurpose::kSample, 1, i)));
  }
  for (int i = 0; i < rows; ++i) {
    u.push_back(RandomDouble(3, RandomPurpose::kSample, 2, i));
  }
  Sampler one({classes}, 1);
  Sampler three({classes}, 3);
  ASSERT_TRUE(one.Run(logits, u).ok());
  ASSERT_TRUE(three.Run(logits, u).ok());
  EXPECT_EQ(one.choice, three.choice);
  EXPECT_EQ(one.log_p, three.log_p);
}

TEST(SamplingTest, LogitsThatAreNotFiniteAreRefused) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(),
                    std::numeric_limits<float>::infinity()}) {
    Sampler sampler({2});
    const absl::Status status =
        sampler.Run({0.0f, 0.0f, 1.0f, bad}, {0.5, 0.5});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), "the logits of row 1 are not finite");
  }
}

}  // namespace
}  // namespace continuo
