// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/launch_identity.h"

#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// More processes than anybody starts.
constexpr int kMaxSize = 1 << 20;

// The environment variables of a launcher. The local rank of those without a
// variable for it is 0: each process has a machine of its own.
struct Launcher {
  absl::string_view name;
  absl::string_view rank;
  absl::string_view size;
  absl::string_view local_rank;
};

constexpr Launcher kTorchrun = {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"};
constexpr Launcher kOpenMpi = {"Open MPI", "OMPI_COMM_WORLD_RANK",
                               "OMPI_COMM_WORLD_SIZE",
                               "OMPI_COMM_WORLD_LOCAL_RANK"};
// Set by Open MPI, and by srun where it makes MPI possible.
constexpr absl::string_view kPmixRank = "PMIX_RANK";
constexpr Launcher kSlurmStep = {"Slurm", "SLURM_PROCID",
                                 "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"};
constexpr Launcher kSlurm = {"Slurm", "SLURM_PROCID", "SLURM_NTASKS",
                             "SLURM_LOCALID"};
constexpr Launcher kKubernetes = {"Kubernetes", "JOB_COMPLETION_INDEX",
                                  "WORLD_SIZE", ""};

absl::StatusOr<int> Number(absl::string_view name, absl::string_view text,
                           int least) {
  int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < least || number > kMaxSize) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, "=", text, ": must be a whole number from ", least,
                     " to ", kMaxSize));
  }
  return number;
}

absl::Status CheckRank(absl::string_view rank_name, int rank,
                       absl::string_view size_name, int size) {
  if (rank < size) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(rank_name, "=", rank, ": must be below ", size_name, "=",
                   size, ", the number of processes"));
}

// The value of a variable that `launcher` sets beside the others.
absl::StatusOr<std::string> Required(const Launcher& launcher,
                                     absl::string_view name,
                                     absl::string_view field,
                                     Environment environment) {
  if (auto value = environment(name)) return *std::move(value);
  std::string present;
  for (const absl::string_view other :
       {launcher.rank, launcher.size, launcher.local_rank, kPmixRank}) {
    if (other.empty() || !environment(other).has_value()) continue;
    if (other == kPmixRank && !present.empty()) continue;
    absl::StrAppend(&present, present.empty() ? "" : " and ", other);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the environment has ", present, " of ", launcher.name,
                   ", but not ", name, ": set it, or `", field,
                   "`; `world_size`=1 is a process that works alone"));
}

absl::StatusOr<LaunchIdentity> Read(const Launcher& launcher,
                                    const RequestedIdentity& requested,
                                    Environment environment) {
  LaunchIdentity identity = {.launcher = std::string(launcher.name)};
  CONTINUO_ASSIGN_OR_RETURN(
      const std::string rank,
      Required(launcher, launcher.rank, "rank", environment));
  CONTINUO_ASSIGN_OR_RETURN(identity.rank, Number(launcher.rank, rank, 0));
  if (requested.size.has_value() && !environment(launcher.size).has_value()) {
    identity.size = *requested.size;
  } else {
    CONTINUO_ASSIGN_OR_RETURN(
        const std::string size,
        Required(launcher, launcher.size, "world_size", environment));
    CONTINUO_ASSIGN_OR_RETURN(identity.size, Number(launcher.size, size, 1));
  }
  if (requested.size.has_value() && *requested.size != identity.size) {
    return absl::InvalidArgumentError(
        absl::StrCat("`world_size`=", *requested.size, " without `rank`, and ",
                     launcher.size, "=", identity.size,
                     " in the environment: leave it out, or give both"));
  }
  CONTINUO_RETURN_IF_ERROR(
      CheckRank(launcher.rank, identity.rank, launcher.size, identity.size));
  if (requested.local_rank.has_value()) {
    identity.local_rank = requested.local_rank;
  } else if (launcher.local_rank.empty()) {
    identity.local_rank = 0;
  } else {
    CONTINUO_ASSIGN_OR_RETURN(
        const std::string local,
        Required(launcher, launcher.local_rank, "local_rank", environment));
    CONTINUO_ASSIGN_OR_RETURN(identity.local_rank,
                              Number(launcher.local_rank, local, 0));
  }
  return identity;
}

// Whether this process is one of those that srun has started. Batch scripts
// have SLURM_PROCID=0, too, and the number of tasks of the whole job; what they
// call without srun is one process.
bool IsSlurmTask(Environment environment) {
  if (!environment("SLURM_PROCID").has_value()) return false;
  return environment("SLURM_STEP_NUM_TASKS").has_value() ||
         environment("SLURM_STEP_ID").has_value() ||
         !environment("SLURM_JOB_ID").has_value();
}

absl::StatusOr<LaunchIdentity> ReadEnvironment(
    const RequestedIdentity& requested, Environment environment) {
  const auto has = [&](absl::string_view name) {
    return environment(name).has_value();
  };
  const bool is_pod = has(kKubernetes.rank);
  if (has(kTorchrun.rank) || has(kTorchrun.local_rank) ||
      (has(kTorchrun.size) && !is_pod)) {
    return Read(kTorchrun, requested, environment);
  }
  const bool is_slurm_task = IsSlurmTask(environment);
  if (has(kOpenMpi.rank) || has(kOpenMpi.size) || has(kOpenMpi.local_rank) ||
      (has(kPmixRank) && !is_slurm_task)) {
    return Read(kOpenMpi, requested, environment);
  }
  if (is_slurm_task) {
    return Read(has(kSlurmStep.size) ? kSlurmStep : kSlurm, requested,
                environment);
  }
  if (is_pod) return Read(kKubernetes, requested, environment);
  if (requested.size.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`world_size`=", *requested.size,
                     " without `rank`, and no launcher says which process this "
                     "is: give both"));
  }
  return LaunchIdentity();
}

// Whether MPI numbers this process in the same way.
bool HasMpi(const LaunchIdentity& identity, Environment environment) {
  const std::string rank = absl::StrCat(identity.rank);
  const auto size = environment(kOpenMpi.size);
  if (environment(kOpenMpi.rank) == rank) {
    return size == absl::StrCat(identity.size);
  }
  return environment(kPmixRank) == rank && !size.has_value();
}

}  // namespace

std::optional<std::string> ProcessEnvironment(absl::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

absl::StatusOr<LaunchIdentity> FindLaunchIdentity(
    const RequestedIdentity& requested, Environment environment) {
  if (requested.size == 1 && requested.rank.value_or(0) == 0) {
    return LaunchIdentity();
  }
  LaunchIdentity identity;
  if (requested.rank.has_value()) {
    if (!requested.size.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("`rank`=", *requested.rank,
                       " without `world_size`, the "
                       "number of processes: give both"));
    }
    CONTINUO_RETURN_IF_ERROR(
        CheckRank("`rank`", *requested.rank, "`world_size`", *requested.size));
    identity = {.rank = *requested.rank,
                .size = *requested.size,
                .local_rank = requested.local_rank,
                .launcher = "`rank`"};
  } else {
    CONTINUO_ASSIGN_OR_RETURN(identity,
                              ReadEnvironment(requested, environment));
  }
  if (identity.size == 1) return LaunchIdentity();
  identity.has_mpi = HasMpi(identity, environment);
  return identity;
}

absl::StatusOr<Device> RankDevice(absl::string_view device,
                                  const LaunchIdentity& identity) {
  CONTINUO_ASSIGN_OR_RETURN(Device parsed, ParseDevice(device));
  if (identity.size == 1 || parsed.type == DeviceType::kCpu ||
      (device != "auto" && device != "cuda")) {
    return parsed;
  }
  CONTINUO_ASSIGN_OR_RETURN(const int devices, CountCudaDevices());
  if (devices == 1) return parsed;
  if (!identity.local_rank.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`local_rank` is missing: this host has ", devices,
                     " CUDA devices, and which one is rank ", identity.rank,
                     "'s nobody says; or give `device`=cuda:N"));
  }
  if (*identity.local_rank >= devices) {
    return absl::InvalidArgumentError(
        absl::StrCat("local rank ", *identity.local_rank,
                     " has no CUDA device: this host "
                     "has ",
                     devices,
                     "; start one process for each, or all with "
                     "`device`=cpu"));
  }
  parsed.index = *identity.local_rank;
  return parsed;
}

}  // namespace continuo
