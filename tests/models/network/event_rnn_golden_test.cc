// SPDX-License-Identifier: Apache-2.0

// The network on the CPU against Magenta.

#include "tests/models/network/event_rnn_golden.h"

namespace continuo::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Graphs, ModelGoldenTest,
    ::testing::ValuesIn(GoldenCases({{"", "cpu", DeviceType::kCpu, {}}})),
    GoldenCaseName);

TEST(ModelGoldenFamilyTest, IsThere) {
  if (!ListFolders(GoldenDir("model")).empty()) return;
  if (GoldenDirIsForeign()) GTEST_SKIP() << "no family `model`";
  FAIL() << GoldenDir("model") << " holds no graphs";
}

}  // namespace
}  // namespace continuo::testing
