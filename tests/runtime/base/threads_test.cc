// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/threads.h"

#include <atomic>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"

namespace continuo {
namespace {

TEST(ThreadPoolTest, RunsEveryTaskOnce) {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    for (int64_t tasks : {0, 1, 3, 1000}) {
      std::vector<std::atomic<int>> counts(tasks);
      pool.Run(tasks, [&](int64_t task) { ++counts[task]; });
      for (const auto& count : counts) EXPECT_EQ(count.load(), 1);
    }
  }
}

TEST(ThreadPoolTest, TasksOfOneWorkerDoNotOverlap) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> overlap{false};
  pool.RunWithWorker(2000, [&](int64_t, int worker) {
    if (++inside[worker] != 1) overlap = true;
    --inside[worker];
  });
  EXPECT_FALSE(overlap.load());
}

TEST(CheckThreadsTest, OneBoundForAllCommands) {
  EXPECT_TRUE(CheckThreads(0).ok());
  EXPECT_TRUE(CheckThreads(kMaxThreads).ok());
  for (const int threads : {-1, kMaxThreads + 1}) {
    EXPECT_EQ(CheckThreads(threads).message(),
              absl::StrCat("`threads`=", threads,
                           ": must be in 0..1024 (0: one per CPU)"));
  }
}

TEST(ThreadPoolTest, ThreadsThatCannotBeHadAreAnErrorIfTheyWereAskedFor) {
  const auto result = testing::RunChild([] {
    testing::RefuseThreads();
    ThreadPool pool(64);
    if (pool.num_threads() != 1) return 1;
    if (!absl::StartsWith(
            pool.status().message(),
            "`threads`=64: the system allows no more than 1 here (")) {
      return 2;
    }
    // It works all the same.
    std::atomic<int> count{0};
    pool.Run(100, [&](int64_t) { ++count; });
    return count == 100 ? 0 : 3;
  });
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST(ThreadPoolTest, AnAutomaticNumberTakesWhatThereIs) {
  EXPECT_EQ(testing::RunChild([] {
              testing::RefuseThreads();
              ThreadPool pool(0);
              return pool.status().ok() && pool.num_threads() == 1 ? 0 : 1;
            }).code,
            0);
}

}  // namespace
}  // namespace continuo
