// SPDX-License-Identifier: Apache-2.0

// The form of Collective that fits how a process was started and where it
// computes.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_MAKE_COLLECTIVE_H_
#define CONTINUO_RUNTIME_COLLECTIVE_MAKE_COLLECTIVE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/collective/collective.h"
#include "runtime/collective/launch_identity.h"
#include "runtime/device/device.h"

namespace continuo {

struct CollectiveSetup {
  LaunchIdentity identity = {};
  // A folder that all processes see, where those on GPUs find each other if
  // they were not started by MPI.
  std::string rendezvous_dir = {};
  CollectiveOptions options = {};
};

// One process: nothing is loaded or initialised. CPU processes are connected by
// MPI, those on GPUs by NCCL. Returns when all are there, or with an error when
// the timeout is over. InvalidArgument where some compute on a CPU and others
// on a GPU. To be called once in a process; `stream` outlives the result.
absl::StatusOr<std::unique_ptr<Collective>> MakeCollective(
    const CollectiveSetup& setup, const Stream& stream);

// InvalidArgument on all ranks unless all give the same text: what "rank 2 is".
absl::Status CheckSameOnAll(Collective& collective, absl::string_view mine);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_MAKE_COLLECTIVE_H_
