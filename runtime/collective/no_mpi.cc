// SPDX-License-Identifier: Apache-2.0

#include "absl/strings/str_cat.h"
#include "runtime/collective/mpi_collective.h"

namespace continuo {

absl::StatusOr<std::unique_ptr<Collective>> MakeMpi(
    const LaunchIdentity& identity, const CollectiveOptions&) {
  return absl::UnimplementedError(absl::StrCat(
      "rank ", identity.rank, " of ", identity.size,
      " was started by MPI, which this build does not have: install "
      "libopenmpi-dev, and build with CONTINUO_MPI=ON"));
}

}  // namespace continuo
