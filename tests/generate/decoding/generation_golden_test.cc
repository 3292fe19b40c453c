// SPDX-License-Identifier: Apache-2.0

// Magenta's requests on the CPU, by the loop on the host and by that of
// devices.

#include "tests/generate/decoding/generation_golden.h"

namespace continuo {
namespace {

TEST(GenerationGoldenTest, EverythingFollowsFromTheDraws) {
  ThreadPool pool(1);
  testing::ExpectGoldenGeneration({.device = {}, .pool = &pool}, {});
}

TEST(GenerationGoldenTest, EverythingFollowsInTheLoopOfDevices) {
  ThreadPool pool(1);
  testing::ExpectGoldenGeneration({.device = {}, .pool = &pool},
                                  {.loop = GenerateLoop::kDevice});
}

}  // namespace
}  // namespace continuo
