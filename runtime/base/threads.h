// SPDX-License-Identifier: Apache-2.0

// A fixed pool of threads and a parallel loop with a fixed partition.

#ifndef CONTINUO_RUNTIME_BASE_THREADS_H_
#define CONTINUO_RUNTIME_BASE_THREADS_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace continuo {

// A pool of `num_threads` workers, the calling thread being one of them.
// One parallel loop runs at a time; loops must not be nested.
class ThreadPool {
 public:
  // num_threads < 1 means one per CPU that this process may use, or fewer where
  // the system has no more threads.
  explicit ThreadPool(int num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // ResourceExhausted, naming the field `threads`, if `num_threads` of them
  // were asked for and the system refused. The pool works with those it got.
  const absl::Status& status() const { return status_; }

  int num_threads() const;

  // Calls fn(task) for every task in [0, num_tasks), each exactly once, and
  // returns when all are done. Which thread runs a task, and in which order,
  // is not defined: a task may only write what no other task touches, so that
  // no result depends on the number of threads.
  void Run(int64_t num_tasks, absl::FunctionRef<void(int64_t)> fn);

  // Like Run, but passes fn(task, worker) with worker in [0, num_threads):
  // tasks with the same worker never overlap, so per-worker scratch is safe.
  void RunWithWorker(int64_t num_tasks,
                     absl::FunctionRef<void(int64_t, int)> fn);

 private:
  struct State;
  std::unique_ptr<State> state_;
  absl::Status status_;
};

// The maximum number of threads of a command.
inline constexpr int kMaxThreads = 1024;

// InvalidArgument unless `threads`, a number of threads, is in
// 0..kMaxThreads.
absl::Status CheckThreads(int threads);

// The number of CPUs this process may run on (affinity mask, at least 1).
int AvailableCpus();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_THREADS_H_
