// SPDX-License-Identifier: Apache-2.0

// The self check: every operation agrees, and what does not is found.

#include <limits>

#include "gmock/gmock.h"
#include "kernels/self_check/self_check.h"
#include "kernels/self_check/self_check_probe.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::HasSubstr;

class SelfCheckFormTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, SelfCheckFormTest,
                         ::testing::Values(kForms[1], kForms[2], kForms[3]),
                         FormName);

TEST_P(SelfCheckFormTest, EveryOperationIsAsOnTheCpu) {
  const int units[] = {33, 64};
  const std::vector<SelfCheckResult> results = RunSelfCheck(stream(), units);
  EXPECT_FALSE(results.empty());
  for (const SelfCheckResult& result : results) {
    EXPECT_TRUE(result.ok()) << result.operation << ": " << result.status
                             << ", differs by " << result.difference;
  }
  EXPECT_TRUE(SelfCheckVerdict(stream().device, results).ok());
}

class SelfCheckGpuTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, SelfCheckGpuTest, ::testing::Values(kForms[1]),
                         FormName);

// Probes of an operation that is the same on both devices, nearly, not at all,
// and fails.
template <int kMilli>
absl::Status Differ(ProbeRun* run, int64_t) {
  const bool gpu = run->stream().device.type == DeviceType::kCuda;
  const float lie = gpu ? kMilli * 1e-3f : 0.0f;
  run->Compare(run->Put(std::vector<float>{-4.0f, 1.0f + lie}));
  return absl::OkStatus();
}
absl::Status NotWritten(ProbeRun* run, int64_t) {
  run->Compare(run->stream().device.type == DeviceType::kCuda
                   ? run->New<float>({2})
                   : run->Put(std::vector<float>{1, 2}));
  return absl::OkStatus();
}
absl::Status Fail(ProbeRun* run, int64_t) {
  if (run->stream().device.type == DeviceType::kCpu) return absl::OkStatus();
  return absl::InternalError("launch failed");
}

TEST_P(SelfCheckGpuTest, DifferencesAreFound) {
  const std::vector<Probe> probes = {
      {"same", ProbeAccuracy::kEqual, Differ<0>},
      {"far", ProbeAccuracy::kProducts, Differ<100>},
      {"unwritten", ProbeAccuracy::kProducts, NotWritten, 33},
      {"failing", ProbeAccuracy::kProducts, Fail}};
  const std::vector<SelfCheckResult> results = RunProbes(stream(), probes);
  ASSERT_EQ(results.size(), 4u);
  EXPECT_TRUE(results[0].ok());
  EXPECT_FALSE(results[1].ok());
  EXPECT_NEAR(results[1].difference, 0.1 / 4, 1e-6);
  EXPECT_EQ(results[2].operation, "unwritten, 33 units");
  EXPECT_EQ(results[2].difference, std::numeric_limits<double>::infinity());
  EXPECT_FALSE(results[3].ok());
  EXPECT_EQ(results[3].status.message(), "launch failed");
}

TEST(SelfCheckTest, VerdictNamesTheWorstAndTheRemedy) {
  std::vector<SelfCheckResult> results = {
      {.operation = "Gemm", .difference = 1e-7, .tolerance = 1e-5},
      {.operation = "Copy", .difference = 0, .tolerance = 0}};
  const Device device{DeviceType::kCuda, 1};
  EXPECT_TRUE(SelfCheckVerdict(device, results).ok());
  results.push_back(
      {.operation = "Dropout", .difference = 2e-5, .tolerance = 1e-5});
  results.push_back(
      {.operation = "LstmForward", .difference = 0.5, .tolerance = 1e-5});
  const absl::Status status = SelfCheckVerdict(device, results);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("cuda:1: LstmForward differs"),
                    HasSubstr("by 0.5"), HasSubstr("`self_check`=false")));
  results.push_back(
      {.operation = "Sample", .status = absl::InternalError("launch failed")});
  EXPECT_THAT(std::string(SelfCheckVerdict(device, results).message()),
              HasSubstr("Sample: launch failed"));
}

TEST(SelfCheckTest, TheCpuIsNotComparedWithItself) {
  Threads pool(1);
  EXPECT_TRUE(RunSelfCheck(pool.stream()).empty());
  EXPECT_TRUE(SelfCheck(pool.stream()).ok());
}

}  // namespace
}  // namespace continuo
