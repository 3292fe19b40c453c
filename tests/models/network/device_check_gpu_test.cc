// SPDX-License-Identifier: Apache-2.0

// The self check at a network's sizes.

#include "gtest/gtest.h"
#include "models/network/device_check.h"

namespace continuo {
namespace {

TEST(DeviceCheckTest, AgreesAtTheNetworksSizes) {
  NetworkSpec spec;
  spec.layer_sizes = {5, 12, 5};
  ThreadPool pool(2);
  EXPECT_TRUE(CheckDevice({.pool = &pool}, spec).ok());
  const auto count = CountCudaDevices();
  if (!count.ok()) GTEST_SKIP() << count.status().message();
  for (const RnnBackend backend : {RnnBackend::kFused, RnnBackend::kCudnn}) {
    const auto owned =
        OwnedStream::Open({DeviceType::kCuda, 0}, {.backend = backend}, &pool);
    ASSERT_TRUE(owned.ok()) << owned.status();
    const absl::Status status = CheckDevice(owned->stream(), spec);
    EXPECT_TRUE(status.ok()) << status;
  }
}

}  // namespace
}  // namespace continuo
