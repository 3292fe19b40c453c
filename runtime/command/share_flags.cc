// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/share_flags.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/command/launch_flags.h"

namespace continuo {

absl::StatusOr<WorkShare> ShareOfFlags() {
  CONTINUO_ASSIGN_OR_RETURN(const LaunchIdentity identity,
                            LaunchIdentityOfFlags());
  const WorkShare share = {.rank = identity.rank, .size = identity.size};
  if (!share.is_all()) {
    LogInfo("process ", share.rank, " of ", share.size,
            identity.launcher.empty()
                ? ""
                : absl::StrCat(" (started by ", identity.launcher, ")"),
            ": does one of every ", share.size, " pieces of the work");
  }
  return share;
}

absl::Status CheckShards(const WorkShare& share, int num_shards) {
  if (share.is_all() || num_shards == 1 || num_shards == share.size) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--num_shards=", num_shards, ", but ", share.size,
      " processes write a shard each; leave it out, or start as many"));
}

}  // namespace continuo
