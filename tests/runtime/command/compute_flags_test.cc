// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/compute_flags.h"

#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

ABSL_DECLARE_FLAG(std::string, device);
ABSL_DECLARE_FLAG(std::string, precision);
ABSL_DECLARE_FLAG(std::string, rnn_form);
ABSL_DECLARE_FLAG(std::string, rnn_backend);

namespace continuo {
namespace {

TEST(ComputeFlagsTest, OpensTheStreamThatTheyAskFor) {
  const absl::FlagSaver saver;
  absl::SetFlag(&FLAGS_device, "cpu");
  ThreadPool pool(1);
  const auto stream = OpenStreamOfFlags(&pool);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(stream->stream().device.type, DeviceType::kCpu);
  EXPECT_EQ(stream->stream().pool, &pool);
}

TEST(ComputeFlagsTest, ValuesThatMeanNothingAreNamed) {
  ThreadPool pool(1);
  for (const auto flag :
       {&FLAGS_device, &FLAGS_precision, &FLAGS_rnn_form, &FLAGS_rnn_backend}) {
    const absl::FlagSaver saver;
    absl::SetFlag(&FLAGS_device, "cpu");
    absl::SetFlag(flag, "fast");
    const absl::Status status = OpenStreamOfFlags(&pool).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "fast")) << status;
  }
}

}  // namespace
}  // namespace continuo
