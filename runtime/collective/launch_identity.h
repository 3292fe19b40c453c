// SPDX-License-Identifier: Apache-2.0

// Which of the processes of a launch this is, as the launcher tells it.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_LAUNCH_IDENTITY_H_
#define CONTINUO_RUNTIME_COLLECTIVE_LAUNCH_IDENTITY_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/device/device.h"

namespace continuo {

struct LaunchIdentity {
  int rank = 0;
  int size = 1;
  // Among the processes of this host.
  std::optional<int> local_rank = {};
  std::string launcher = {};  // "Slurm"; empty: none, this is one process
  // MPI connects the processes: they were started by mpirun, or by Slurm's srun
  // with --mpi=pmix.
  bool has_mpi = false;
};

// What a user says of it, before what a launcher does.
struct RequestedIdentity {
  std::optional<int> rank = {};
  std::optional<int> size = {};
  std::optional<int> local_rank = {};
};

// The value of an environment variable; one that is empty counts as not set.
using Environment =
    absl::FunctionRef<std::optional<std::string>(absl::string_view)>;
std::optional<std::string> ProcessEnvironment(absl::string_view name);

// The first of these that says something:
//
//   the fields `rank` and `world_size`; `world_size`=1 is one process whatever
//     the environment says
//   torchrun and its kin   RANK, WORLD_SIZE, LOCAL_RANK
//   Open MPI               OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK
//   Slurm                  SLURM_PROCID, SLURM_STEP_NUM_TASKS or SLURM_NTASKS,
//                          SLURM_LOCALID; a batch script, or the shell of an
//                          allocation, is one process
//   Kubernetes             JOB_COMPLETION_INDEX of an indexed job, with its
//                          number of pods in WORLD_SIZE or `world_size`
//
// else one process. A variable that is missing beside others of its kind, or
// makes no sense, is InvalidArgument that names it.
absl::StatusOr<LaunchIdentity> FindLaunchIdentity(
    const RequestedIdentity& requested,
    Environment environment = ProcessEnvironment);

// The device of a rank where `device` is "auto" or "cuda": each process of a
// host has a GPU of its own, by its local rank; those that can see one GPU
// alone have that one. Other values are those of ParseDevice.
absl::StatusOr<Device> RankDevice(absl::string_view device,
                                  const LaunchIdentity& identity);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_LAUNCH_IDENTITY_H_
