#include "runtime/threads.h"

#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <string>
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
              absl::StrCat("--threads=", threads,
                           ": must be in 0..1024 (0: one per CPU)"));
  }
}

// The limit on processes does not bind root, so memory for stacks runs out.
void LimitThreads() {
  rlimit stack = {rlim_t{1} << 30, rlim_t{1} << 30};
  setrlimit(RLIMIT_STACK, &stack);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack.rlim_cur);
  pthread_setattr_default_np(&attributes);
  rlimit memory = {rlim_t{5} << 29, rlim_t{5} << 29};  // two stacks
  setrlimit(RLIMIT_AS, &memory);
}

TEST(ThreadPoolTest, ThreadsThatCannotBeHadAreAnErrorIfTheyWereAskedFor) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs its address space";
#endif
  const auto result = testing::RunChild([] {
    LimitThreads();
    ThreadPool pool(64);
    if (pool.num_threads() > 4) return 1;
    const std::string start =
        absl::StrCat("--threads=64: the system allows no more than ",
                     pool.num_threads(), " here (");
    if (!absl::StartsWith(pool.status().message(), start)) return 2;
    // It works all the same.
    std::atomic<int> count{0};
    pool.Run(100, [&](int64_t) { ++count; });
    return count == 100 ? 0 : 3;
  });
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST(ThreadPoolTest, AnAutomaticNumberTakesWhatThereIs) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs its address space";
#endif
  EXPECT_EQ(testing::RunChild([] {
              LimitThreads();
              ThreadPool pool(0);
              return pool.status().ok() && pool.num_threads() >= 1 ? 0 : 1;
            }).code,
            0);
}

}  // namespace
}  // namespace continuo
