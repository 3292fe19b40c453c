// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/make_collective.h"

#include "absl/strings/str_cat.h"
#include "runtime/collective/one_process.h"

namespace continuo {

absl::StatusOr<std::unique_ptr<Collective>> MakeCollective(
    const CollectiveSetup& setup, const Stream&) {
  if (setup.identity.size == 1) return MakeOneProcess();
  return absl::UnimplementedError(absl::StrCat(
      "rank ", setup.identity.rank, " of ", setup.identity.size,
      ": this build connects no processes; start one, by `world_size`=1"));
}

}  // namespace continuo
