// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/exit_guard.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"

namespace continuo {
namespace {

TEST(ExitGuardTest, EndsWhatTakesTooLong) {
  const testing::ChildResult child = testing::RunChild([] {
    const ExitGuard guard(absl::Milliseconds(20), "it hangs");
    absl::SleepFor(absl::Seconds(30));
    return 0;
  });
  EXPECT_EQ(child.code, 1);
  EXPECT_EQ(child.err, "ERROR: it hangs\n");
}

TEST(ExitGuardTest, LetsGoWhatIsDone) {
  const testing::ChildResult child = testing::RunChild([] {
    { const ExitGuard guard(absl::Milliseconds(200), "it hangs"); }
    absl::SleepFor(absl::Milliseconds(400));
    return 0;
  });
  EXPECT_EQ(child.code, 0);
  EXPECT_EQ(child.err, "");
}

}  // namespace
}  // namespace continuo
