// SPDX-License-Identifier: Apache-2.0

// Magenta's requests on a CUDA device in fp32.

#include "tests/generate/decoding/generation_golden.h"

namespace continuo {
namespace {

TEST(GenerationGoldenGpuTest, EverythingFollowsFromTheDraws) {
  const auto count = CountCudaDevices();
  if (!count.ok()) GTEST_SKIP() << count.status().message();
  ThreadPool pool(1);
  const auto owned = OwnedStream::Open({.type = DeviceType::kCuda}, {}, &pool);
  ASSERT_TRUE(owned.ok()) << owned.status();
  testing::ExpectGoldenGeneration(owned->stream(), {});
}

}  // namespace
}  // namespace continuo
