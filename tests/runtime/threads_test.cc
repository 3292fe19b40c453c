#include "runtime/threads.h"

#include <atomic>
#include <vector>

#include "gtest/gtest.h"

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

}  // namespace
}  // namespace continuo
