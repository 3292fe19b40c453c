// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/thread.h"

#include <atomic>
#include <utility>

#include "gtest/gtest.h"
#include "tests/testing/child.h"

namespace continuo {
namespace {

using ::continuo::testing::RefuseThreads;
using ::continuo::testing::RunChild;

TEST(ThreadTest, RunsItsBodyToTheEnd) {
  std::atomic<int> sum{0};
  auto first = Thread::Start([&sum] { sum += 1; });
  auto second = Thread::Start([&sum] { sum += 2; });
  ASSERT_TRUE(first.ok() && second.ok());
  Thread moved = *std::move(first);
  moved.Join();
  second->Join();
  EXPECT_EQ(sum, 3);
}

TEST(ThreadTest, ARefusalIsAnError) {
  const auto result = RunChild([] {
    RefuseThreads();
    const auto thread = Thread::Start([] {});
    return thread.status().code() == absl::StatusCode::kResourceExhausted ? 0
                                                                          : 1;
  });
  EXPECT_EQ(result.code, 0);
}

TEST(ThreadTest, MustBeJoinedOnce) {
  EXPECT_NE(RunChild([] {
              const auto thread = Thread::Start([] {});
              return 0;
            }).code,
            0);
  EXPECT_NE(RunChild([] {
              auto thread = Thread::Start([] {});
              thread->Join();
              thread->Join();
              return 0;
            }).code,
            0);
}

}  // namespace
}  // namespace continuo
