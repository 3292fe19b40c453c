// SPDX-License-Identifier: Apache-2.0

// --threads, where a command computes with several.

#ifndef CONTINUO_RUNTIME_COMMAND_THREAD_FLAGS_H_
#define CONTINUO_RUNTIME_COMMAND_THREAD_FLAGS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "runtime/base/threads.h"

namespace continuo {

// The value of --threads, 0 for one per CPU. InvalidArgument for a number that
// no command takes.
absl::StatusOr<int> ThreadsOfFlags();

// As many threads as --threads says. ResourceExhausted if the system refuses.
absl::StatusOr<std::unique_ptr<ThreadPool>> OpenThreadsOfFlags();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_THREAD_FLAGS_H_
