// SPDX-License-Identifier: Apache-2.0

// Small trainings of several ranks, which are threads.

#ifndef CONTINUO_TESTS_TRAIN_LOOP_RANKS_H_
#define CONTINUO_TESTS_TRAIN_LOOP_RANKS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/collective/in_memory.h"
#include "tests/train/loop/small_run.h"

namespace continuo::testing {

struct RankOptions {
  // Changes the options of a rank; `stop` is its own flag.
  std::function<void(int rank, TrainOptions* options, StopFlag* stop)> adapt =
      nullptr;
  absl::Duration timeout = absl::Seconds(60);
};

// What each rank's Train returns.
inline std::vector<absl::StatusOr<TrainResult>> TrainTogether(
    const TrainOptions& options, int ranks, const RankOptions& how = {}) {
  const auto collectives = MakeInMemory(ranks, {.timeout = how.timeout});
  std::vector<absl::StatusOr<TrainResult>> results(
      ranks, absl::UnknownError("not run"));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      TrainOptions own = options;
      own.collective = collectives[rank].get();
      StopFlag stop{false};
      if (how.adapt != nullptr) how.adapt(rank, &own, &stop);
      ThreadPool pool(1);
      results[rank] = Train(own, Stream{.device = {}, .pool = &pool}, stop);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

// A clock that does something at its `call`-th call, and then no more.
inline Clock ClockThatActs(int call, std::function<void()> act) {
  auto calls = std::make_shared<std::atomic<int>>(0);
  Clock clock;
  clock.monotonic = [calls, call, act = std::move(act)] {
    if (++*calls == call) act();
    return MonotonicTime();
  };
  return clock;
}

// All bytes of the checkpoint of a step.
inline std::string CheckpointBytes(const std::string& dir, int64_t step) {
  const std::string prefix = JoinPath(dir, absl::StrCat("model.ckpt-", step));
  return MustRead(prefix + ".index") +
         MustRead(prefix + ".data-00000-of-00001");
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TRAIN_LOOP_RANKS_H_
