// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/collective_flags.h"

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"
#include "runtime/collective/make_collective.h"
#include "runtime/command/flag_checks.h"

ABSL_FLAG(std::string, rendezvous_dir, "",
          "Folder that all processes see, where those on CUDA devices find "
          "each other if they were not started by MPI; without it, the folder "
          "of the run.");
ABSL_FLAG(double, collective_timeout, 300,
          "Seconds for which a process waits for the others. Then all end with "
          "an error that names those that were not heard of.");

namespace continuo {

absl::StatusOr<std::unique_ptr<Collective>> MakeCollectiveOfFlags(
    const LaunchIdentity& identity, const Stream& stream,
    const std::string& default_dir) {
  const double seconds = absl::GetFlag(FLAGS_collective_timeout);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("collective_timeout", seconds, 0.1));
  const std::string dir = absl::GetFlag(FLAGS_rendezvous_dir);
  return MakeCollective({.identity = identity,
                         .rendezvous_dir = dir.empty() ? default_dir : dir,
                         .options = {.timeout = absl::Seconds(seconds)}},
                        stream);
}

}  // namespace continuo
