// SPDX-License-Identifier: Apache-2.0

// --rank, --world_size and --local_rank, of commands that can be started as
// several processes.

#ifndef CONTINUO_RUNTIME_COMMAND_LAUNCH_FLAGS_H_
#define CONTINUO_RUNTIME_COMMAND_LAUNCH_FLAGS_H_

#include "absl/status/statusor.h"
#include "runtime/collective/launch_identity.h"

namespace continuo {

// Which process this is, by the flags or by the launcher's environment.
absl::StatusOr<LaunchIdentity> LaunchIdentityOfFlags();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_LAUNCH_FLAGS_H_
