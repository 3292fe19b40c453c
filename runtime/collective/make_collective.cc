// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/make_collective.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/base/version_number.h"
#include "runtime/collective/collective_calls.h"
#include "runtime/collective/mpi_collective.h"
#include "runtime/collective/one_process.h"

namespace continuo {
namespace {

// The error of CPU processes that something else than MPI has started.
absl::Status NoConnection(const LaunchIdentity& identity) {
  return absl::InvalidArgumentError(absl::StrCat(
      "rank ", identity.rank, " of ", identity.size,
      " computes on a CPU, where processes are connected by MPI, but ",
      identity.launcher,
      " has started it without: start it by mpirun, or by "
      "srun --mpi=pmix, or alone by `world_size`=1"));
}

}  // namespace

absl::Status CheckSameOnAll(Collective& collective, absl::string_view mine) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> all,
                            collective.GatherBytes(mine));
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("rank 0 is ", all[0], ", but rank ", rank, " is ",
                     all[rank], ": all must be the same"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Collective>> MakeCollective(
    const CollectiveSetup& setup, const Stream& stream) {
  const LaunchIdentity& identity = setup.identity;
  if (identity.size == 1) return MakeOneProcess();
  if (!identity.has_mpi) return NoConnection(identity);
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<Collective> collective,
                            MakeMpi(identity, setup.options));
  CONTINUO_RETURN_IF_ERROR(CheckSameOnAll(
      *collective,
      absl::StrCat(
          "version ", CONTINUO_VERSION,
          stream.device.type == DeviceType::kCpu ? " on a CPU" : " on a GPU")));
  return collective;
}

}  // namespace continuo
