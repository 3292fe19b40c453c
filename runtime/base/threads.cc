// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/base/thread.h"

namespace continuo {

int AvailableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    const int count = CPU_COUNT(&set);
    if (count > 0) return count;
  }
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

absl::Status CheckThreads(int threads) {
  if (threads >= 0 && threads <= kMaxThreads) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("`threads`=", threads, ": must be in 0..", kMaxThreads,
                   " (0: one per CPU)"));
}

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable start;
  std::condition_variable done;
  uint64_t generation = 0;  // one per loop; guarded by mutex
  int running = 0;          // workers inside the current loop
  bool stop = false;
  int64_t num_tasks = 0;
  absl::FunctionRef<void(int64_t, int)>* fn = nullptr;
  std::atomic<int64_t> next{0};
  std::vector<Thread> workers;

  void Drain(int worker) {
    for (;;) {
      const int64_t task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= num_tasks) return;
      (*fn)(task, worker);
    }
  }

  void WorkerLoop(int worker) {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex);
        start.wait(lock, [&] { return stop || generation != seen; });
        if (stop) return;
        seen = generation;
      }
      Drain(worker);
      {
        std::lock_guard<std::mutex> lock(mutex);
        if (--running == 0) done.notify_one();
      }
    }
  }
};

ThreadPool::ThreadPool(int num_threads) : state_(std::make_unique<State>()) {
  const bool automatic = num_threads < 1;
  const int count =
      automatic ? std::min(AvailableCpus(), kMaxThreads) : num_threads;
  for (int i = 1; i < count; ++i) {
    absl::StatusOr<Thread> worker =
        Thread::Start([state = state_.get(), i] { state->WorkerLoop(i); });
    if (worker.ok()) {
      state_->workers.push_back(*std::move(worker));
      continue;
    }
    if (!automatic) {
      status_ = absl::ResourceExhaustedError(absl::StrCat(
          "`threads`=", count, ": the system allows no more than ", i,
          " here (", worker.status().message(),
          "; ulimit -u, or the limit of the container); give `threads`=", i,
          " or fewer"));
    }
    break;
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stop = true;
  }
  state_->start.notify_all();
  for (Thread& worker : state_->workers) worker.Join();
}

int ThreadPool::num_threads() const {
  return static_cast<int>(state_->workers.size()) + 1;
}

void ThreadPool::RunWithWorker(int64_t num_tasks,
                               absl::FunctionRef<void(int64_t, int)> fn) {
  if (num_tasks <= 0) return;
  if (state_->workers.empty() || num_tasks == 1) {
    for (int64_t task = 0; task < num_tasks; ++task) fn(task, 0);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->num_tasks = num_tasks;
    state_->fn = &fn;
    state_->next = 0;
    state_->running = static_cast<int>(state_->workers.size());
    ++state_->generation;
  }
  state_->start.notify_all();
  state_->Drain(0);
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->done.wait(lock, [&] { return state_->running == 0; });
  state_->fn = nullptr;
}

void ThreadPool::Run(int64_t num_tasks, absl::FunctionRef<void(int64_t)> fn) {
  RunWithWorker(num_tasks, [&](int64_t task, int) { fn(task); });
}

}  // namespace continuo
