// SPDX-License-Identifier: Apache-2.0

#include "absl/strings/str_cat.h"
#include "runtime/collective/nccl_collective.h"

namespace continuo {

absl::StatusOr<std::unique_ptr<Collective>> MakeNccl(
    const LaunchIdentity& identity, const Stream&, const std::string&,
    const CollectiveOptions&, std::unique_ptr<Collective>) {
  return absl::UnimplementedError(absl::StrCat(
      "rank ", identity.rank, " of ", identity.size,
      " computes on a GPU, and this build lacks NCCL, which connects them: "
      "install it, and build with CONTINUO_NCCL=ON"));
}

}  // namespace continuo
