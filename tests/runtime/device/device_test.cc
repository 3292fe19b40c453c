// SPDX-License-Identifier: Apache-2.0

// Choosing a device, with or without CUDA in the build or on the machine.

#include "runtime/device/device.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(DeviceTest, CpuIsAlwaysThere) {
  const auto device = ParseDevice("cpu");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->type, DeviceType::kCpu);
  EXPECT_EQ(DeviceName(*device), "cpu");
}

TEST(DeviceTest, AutoIsTheBestThereIs) {
  const auto device = ParseDevice("auto");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->type == DeviceType::kCuda, CountCudaDevices().ok());
}

TEST(DeviceTest, MissingDevicesAreUnavailable) {
  const auto count = CountCudaDevices();
  if (!count.ok()) {
    EXPECT_EQ(count.status().code(), absl::StatusCode::kUnavailable);
    for (const char* text : {"cuda", "cuda:0"}) {
      const auto device = ParseDevice(text);
      EXPECT_EQ(device.status().code(), absl::StatusCode::kUnavailable);
      EXPECT_NE(device.status().message().find("`device`=cpu"),
                std::string::npos);
    }
    return;
  }
  EXPECT_EQ(ParseDevice(absl::StrCat("cuda:", *count)).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(DeviceTest, OtherTextsAreErrors) {
  for (const char* text : {"", "gpu", "cuda0", "cuda:", "cuda:-1", "cuda:x"}) {
    EXPECT_EQ(ParseDevice(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
  EXPECT_FALSE(ParsePrecision("fp16").ok());
  EXPECT_FALSE(ParseRnnBackend("torch").ok());
  EXPECT_FALSE(ParseRecurrentForm("").ok());
  EXPECT_EQ(*ParsePrecision("bf16"), Precision::kBf16);
  EXPECT_EQ(*ParseRnnBackend("cudnn"), RnnBackend::kCudnn);
  EXPECT_EQ(*ParseRecurrentForm("stepwise"), RecurrentForm::kStepwise);
}

// What the CPU cannot do is refused, not done in another way.
TEST(DeviceTest, CpuRefusesOptionsOfTheGpu) {
  ThreadPool pool(1);
  EXPECT_TRUE(OwnedStream::Open({}, {}, &pool).ok());
  for (const ComputeOptions& options :
       {ComputeOptions{.precision = Precision::kTf32},
        ComputeOptions{.precision = Precision::kBf16},
        ComputeOptions{.backend = RnnBackend::kCudnn}}) {
    EXPECT_EQ(OwnedStream::Open({}, options, &pool).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

// Before it looks for the device.
TEST(DeviceTest, CudnnRefusesBf16) {
  ThreadPool pool(1);
  const absl::Status status =
      OwnedStream::Open(
          {DeviceType::kCuda, 0},
          {.precision = Precision::kBf16, .backend = RnnBackend::kCudnn}, &pool)
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "`rnn_backend`=fused"));
}

}  // namespace
}  // namespace continuo
