// SPDX-License-Identifier: Apache-2.0

// The share of a process in work that several divide by index.

#ifndef CONTINUO_RUNTIME_COMMAND_SHARE_FLAGS_H_
#define CONTINUO_RUNTIME_COMMAND_SHARE_FLAGS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/base/work_share.h"

namespace continuo {

// The share of this process, which LaunchIdentityOfFlags names; logs it where
// there are several.
absl::StatusOr<WorkShare> ShareOfFlags();

// InvalidArgument unless --num_shards is 1 or, of several processes that write
// a shard each, their number.
absl::Status CheckShards(const WorkShare& share, int num_shards);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_SHARE_FLAGS_H_
