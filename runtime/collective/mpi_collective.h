// SPDX-License-Identifier: Apache-2.0

// Processes that mpirun has started, on CPUs.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_MPI_COLLECTIVE_H_
#define CONTINUO_RUNTIME_COLLECTIVE_MPI_COLLECTIVE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "runtime/collective/collective.h"
#include "runtime/collective/launch_identity.h"

namespace continuo {

// Loads Open MPI and initialises it. Once in a process.
//
// All calls are nonblocking ones of the library, polled until the timeout. When
// a rank gives up, or the timeout is over, the others are told, and at its exit
// MPI_Abort makes mpirun end whatever processes are left. A rank that is
// destroyed in good order waits for the others to come as far.
absl::StatusOr<std::unique_ptr<Collective>> MakeMpi(
    const LaunchIdentity& identity, const CollectiveOptions& options);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_MPI_COLLECTIVE_H_
