// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/make_collective.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/base/version_number.h"
#include "runtime/collective/collective_calls.h"
#include "runtime/collective/mpi_collective.h"
#include "runtime/collective/nccl_collective.h"
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
      "srun with PMIx, or alone by `world_size`=1"));
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
  const bool on_gpu = stream.device.type == DeviceType::kCuda;
  const std::string mine = absl::StrCat("version ", CONTINUO_VERSION,
                                        on_gpu ? " on a GPU" : " on a CPU");
  std::unique_ptr<Collective> host;
  if (identity.has_mpi) {
    auto mpi = MakeMpi(identity, setup.options);
    // Processes on GPUs do without.
    if (!mpi.ok() && !(on_gpu && absl::IsUnimplemented(mpi.status()))) {
      return mpi.status();
    }
    if (mpi.ok()) {
      host = *std::move(mpi);
      CONTINUO_RETURN_IF_ERROR(CheckSameOnAll(*host, mine));
    }
  }
  if (!on_gpu) {
    if (host == nullptr) return NoConnection(identity);
    return host;
  }
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<Collective> collective,
                            MakeNccl(identity, stream, setup.rendezvous_dir,
                                     setup.options, std::move(host)));
  CONTINUO_RETURN_IF_ERROR(CheckSameOnAll(*collective, mine));
  return collective;
}

}  // namespace continuo
