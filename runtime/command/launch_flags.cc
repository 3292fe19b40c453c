// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/launch_flags.h"

#include <cstdint>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/base/status.h"

ABSL_FLAG(std::optional<uint64_t>, rank, std::nullopt,
          "Which of several processes that work together this is, from 0. "
          "Without it the launcher says so: torchrun, mpirun, srun, or an "
          "indexed job of Kubernetes.");
ABSL_FLAG(std::optional<uint64_t>, world_size, std::nullopt,
          "The number of processes, given together with --rank. 1: this one "
          "works alone, whatever the environment says. An indexed job of "
          "Kubernetes has it in WORLD_SIZE or here.");
ABSL_FLAG(std::optional<uint64_t>, local_rank, std::nullopt,
          "Which of this host's processes this is, from 0; it computes on the "
          "CUDA device of that number.");

namespace continuo {
namespace {

// More than any launcher numbers.
constexpr uint64_t kMost = 1 << 20;

absl::StatusOr<std::optional<int>> Value(absl::string_view name,
                                         const std::optional<uint64_t>& value,
                                         uint64_t least) {
  if (!value.has_value()) return std::nullopt;
  if (*value < least || *value > kMost) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", name, "=", *value, ": must be from ", least, " to ", kMost));
  }
  return static_cast<int>(*value);
}

}  // namespace

absl::StatusOr<LaunchIdentity> LaunchIdentityOfFlags() {
  RequestedIdentity requested;
  CONTINUO_ASSIGN_OR_RETURN(requested.rank,
                            Value("rank", absl::GetFlag(FLAGS_rank), 0));
  CONTINUO_ASSIGN_OR_RETURN(
      requested.size, Value("world_size", absl::GetFlag(FLAGS_world_size), 1));
  CONTINUO_ASSIGN_OR_RETURN(
      requested.local_rank,
      Value("local_rank", absl::GetFlag(FLAGS_local_rank), 0));
  return FindLaunchIdentity(requested);
}

}  // namespace continuo
