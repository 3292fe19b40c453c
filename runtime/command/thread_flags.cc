// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/thread_flags.h"

#include "absl/flags/flag.h"
#include "runtime/base/status.h"

ABSL_FLAG(int, threads, 0,
          "CPU threads; 0 is one per CPU. Results are the same for any "
          "number.");

namespace continuo {

absl::StatusOr<int> ThreadsOfFlags() {
  const int threads = absl::GetFlag(FLAGS_threads);
  CONTINUO_RETURN_IF_ERROR(CheckThreads(threads));
  return threads;
}

absl::StatusOr<std::unique_ptr<ThreadPool>> OpenThreadsOfFlags() {
  CONTINUO_ASSIGN_OR_RETURN(const int threads, ThreadsOfFlags());
  auto pool = std::make_unique<ThreadPool>(threads);
  CONTINUO_RETURN_IF_ERROR(pool->status());
  return pool;
}

}  // namespace continuo
