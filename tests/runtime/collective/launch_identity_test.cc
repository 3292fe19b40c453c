// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/launch_identity.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

absl::StatusOr<LaunchIdentity> Find(const Variables& variables,
                                    const RequestedIdentity& requested = {}) {
  return FindLaunchIdentity(
      requested, [&](absl::string_view name) -> std::optional<std::string> {
        const auto it = variables.find(name);
        if (it == variables.end()) return std::nullopt;
        return it->second;
      });
}

// "2 of 8, local 1, Slurm, mpi".
std::string Text(const LaunchIdentity& identity) {
  return absl::StrCat(
      identity.rank, " of ", identity.size,
      identity.local_rank ? absl::StrCat(", local ", *identity.local_rank) : "",
      identity.launcher.empty() ? "" : ", ", identity.launcher,
      identity.has_mpi ? ", mpi" : "");
}

const Variables kTorch = {{"RANK", "3"},
                          {"WORLD_SIZE", "8"},
                          {"LOCAL_RANK", "1"},
                          {"MASTER_ADDR", "node0"},
                          {"MASTER_PORT", "29500"}};
const Variables kMpirun = {{"OMPI_COMM_WORLD_RANK", "2"},
                           {"OMPI_COMM_WORLD_SIZE", "4"},
                           {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
                           {"PMIX_RANK", "2"}};
const Variables kSrun = {{"SLURM_JOB_ID", "77"},        {"SLURM_STEP_ID", "0"},
                         {"SLURM_PROCID", "5"},         {"SLURM_NTASKS", "6"},
                         {"SLURM_STEP_NUM_TASKS", "6"}, {"SLURM_LOCALID", "2"}};
// What a script of `sbatch --ntasks=6` sees.
const Variables kBatchScript = {{"SLURM_JOB_ID", "77"},
                                {"SLURM_PROCID", "0"},
                                {"SLURM_NTASKS", "6"},
                                {"SLURM_LOCALID", "0"}};
const Variables kPod = {{"JOB_COMPLETION_INDEX", "1"}, {"WORLD_SIZE", "3"}};

// `base` with `more` put in; an empty value takes a variable out.
Variables With(Variables base, const Variables& more) {
  for (const auto& [name, value] : more) {
    base.erase(name);
    if (!value.empty()) base.emplace(name, value);
  }
  return base;
}

TEST(LaunchIdentityTest, KnowsTheLaunchers) {
  struct Case {
    Variables variables;
    RequestedIdentity requested;
    std::string expected;
  };
  for (const Case& c : std::vector<Case>{
           {{}, {}, "0 of 1"},
           {kTorch, {}, "3 of 8, local 1, torchrun"},
           {kMpirun, {}, "2 of 4, local 0, Open MPI, mpi"},
           {kSrun, {}, "5 of 6, local 2, Slurm"},
           {With(kSrun, {{"PMIX_RANK", "5"}}),
            {},
            "5 of 6, local 2, Slurm, mpi"},
           {kPod, {}, "1 of 3, local 0, Kubernetes"},
           // Three variables are enough.
           {{{"SLURM_PROCID", "0"},
             {"SLURM_NTASKS", "2"},
             {"SLURM_LOCALID", "0"}},
            {},
            "0 of 2, local 0, Slurm"},
           // The step has fewer tasks than the job.
           {With(kSrun, {{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "1"}}),
            {},
            "1 of 2, local 2, Slurm"},
           // One process, alone.
           {kBatchScript, {}, "0 of 1"},
           {With(kBatchScript, {{"SLURM_NTASKS", ""}}), {}, "0 of 1"},
           {{{"SLURM_JOB_ID", "77"}, {"SLURM_NTASKS", "6"}}, {}, "0 of 1"},
           {With(kSrun, {{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}),
            {},
            "0 of 1"},
           {{{"OMPI_COMM_WORLD_RANK", "0"},
             {"OMPI_COMM_WORLD_SIZE", "1"},
             {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
             {"PMIX_RANK", "0"}},
            {},
            "0 of 1"},
           {kTorch, {.size = 1}, "0 of 1"},
           {kTorch, {.rank = 0, .size = 1}, "0 of 1"},
           // Addresses do not say who this is.
           {{{"MASTER_ADDR", "node0"}, {"MASTER_PORT", "29500"}}, {}, "0 of 1"},
           // The first counts.
           {With(With(kMpirun, kSrun), kTorch),
            {},
            "3 of 8, local 1, torchrun"},
           {With(kMpirun, kSrun), {}, "2 of 4, local 0, Open MPI, mpi"},
           {With(kMpirun, kBatchScript), {}, "2 of 4, local 0, Open MPI, mpi"},
           {With(kSrun, kPod), {}, "5 of 6, local 2, Slurm"},
           {With(kPod, kTorch), {}, "3 of 8, local 1, torchrun"},
           {With(kTorch, kMpirun), {}, "3 of 8, local 1, torchrun"},
           {With(kMpirun,
                 {{"RANK", "2"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "0"}}),
            {},
            "2 of 4, local 0, torchrun, mpi"},
           // Fields come before all.
           {kTorch, {.rank = 1, .size = 2}, "1 of 2, `rank`"},
           {{},
            {.rank = 1, .size = 2, .local_rank = 1},
            "1 of 2, local 1, `rank`"},
           {kMpirun, {.rank = 2, .size = 4}, "2 of 4, `rank`, mpi"},
           {kTorch, {.local_rank = 0}, "3 of 8, local 0, torchrun"},
           {kTorch, {.size = 8}, "3 of 8, local 1, torchrun"},
           {With(kPod, {{"WORLD_SIZE", ""}}),
            {.size = 5},
            "1 of 5, local 0, Kubernetes"},
       }) {
    const auto identity = Find(c.variables, c.requested);
    ASSERT_TRUE(identity.ok()) << identity.status();
    EXPECT_EQ(Text(*identity), c.expected);
  }
}

TEST(LaunchIdentityTest, HalfOfAnEnvironmentNamesTheVariable) {
  struct Case {
    Variables variables;
    RequestedIdentity requested;
    std::string named;  // in the message
  };
  for (const Case& c : std::vector<Case>{
           {With(kTorch, {{"RANK", ""}}), {}, "but not RANK"},
           {With(kTorch, {{"WORLD_SIZE", ""}}), {}, "but not WORLD_SIZE"},
           {With(kTorch, {{"LOCAL_RANK", ""}}), {}, "but not LOCAL_RANK"},
           {{{"WORLD_SIZE", "4"}}, {}, "has WORLD_SIZE of torchrun"},
           {With(kMpirun, {{"OMPI_COMM_WORLD_RANK", ""}}),
            {},
            "but not OMPI_COMM_WORLD_RANK"},
           {With(kMpirun, {{"OMPI_COMM_WORLD_SIZE", ""}}),
            {},
            "but not OMPI_COMM_WORLD_SIZE"},
           {With(kMpirun, {{"OMPI_COMM_WORLD_LOCAL_RANK", ""}}),
            {},
            "but not OMPI_COMM_WORLD_LOCAL_RANK"},
           {With(kSrun, {{"SLURM_STEP_NUM_TASKS", ""}, {"SLURM_NTASKS", ""}}),
            {},
            "but not SLURM_NTASKS"},
           {With(kSrun, {{"SLURM_LOCALID", ""}}), {}, "but not SLURM_LOCALID"},
           {With(kPod, {{"WORLD_SIZE", ""}}), {}, "but not WORLD_SIZE"},
           {With(kTorch, {{"RANK", "8"}}),
            {},
            "RANK=8: must be below WORLD_SIZE=8"},
           {With(kTorch, {{"RANK", "three"}}), {}, "RANK=three: must be"},
           {With(kTorch, {{"RANK", "-1"}}), {}, "RANK=-1: must be"},
           {With(kTorch, {{"WORLD_SIZE", "0"}}), {}, "WORLD_SIZE=0: must be"},
           {With(kTorch, {{"WORLD_SIZE", "9999999999"}}),
            {},
            "WORLD_SIZE=9999999999: must be"},
           {With(kTorch, {{"LOCAL_RANK", "x"}}), {}, "LOCAL_RANK=x: must be"},
           {{}, {.rank = 1}, "`rank`=1 without `world_size`"},
           {{}, {.size = 2}, "`world_size`=2 without `rank`"},
           {{}, {.rank = 2, .size = 2}, "`rank`=2: must be below `world_size`"},
           {{}, {.rank = 1, .size = 1}, "`rank`=1: must be below `world_size`"},
           {kTorch, {.size = 4}, "`world_size`=4 without `rank`"},
       }) {
    const auto identity = Find(c.variables, c.requested);
    ASSERT_FALSE(identity.ok()) << c.named << ": " << Text(*identity);
    EXPECT_TRUE(absl::StrContains(identity.status().message(), c.named))
        << identity.status();
  }
}

TEST(LaunchIdentityTest, TheRemedyIsNamed) {
  const auto identity = Find({{"PMIX_RANK", "0"}});
  ASSERT_FALSE(identity.ok());
  EXPECT_EQ(identity.status().message(),
            "the environment has PMIX_RANK of Open MPI, but not "
            "OMPI_COMM_WORLD_RANK: set it, or `rank`; `world_size`=1 is a "
            "process that works alone");
}

TEST(RankDeviceTest, TheCpuIsEverybodys) {
  const LaunchIdentity identity = {.rank = 3, .size = 4, .local_rank = 3};
  const auto device = RankDevice("cpu", identity);
  ASSERT_TRUE(device.ok()) << device.status();
  EXPECT_EQ(*device, Device());
  EXPECT_FALSE(RankDevice("gpu", identity).ok());
}

}  // namespace
}  // namespace continuo
