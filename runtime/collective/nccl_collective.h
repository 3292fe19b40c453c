// SPDX-License-Identifier: Apache-2.0

// Processes that compute on GPUs.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_NCCL_COLLECTIVE_H_
#define CONTINUO_RUNTIME_COLLECTIVE_NCCL_COLLECTIVE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/collective/collective.h"
#include "runtime/collective/launch_identity.h"
#include "runtime/device/device.h"

namespace continuo {

// Connects the device of `stream` with those of the other ranks by NCCL. These
// are found through `host`, if there is one, which then carries the bytes of
// hosts, too; else by files in the folder `rendezvous_dir`. There (if it is
// given) ranks also leave word when they fail: a thread of each looks for it,
// for errors of NCCL and for the timeout, aborts the communicator, so that
// nothing waits for it any longer, and finds out who is missing.
absl::StatusOr<std::unique_ptr<Collective>> MakeNccl(
    const LaunchIdentity& identity, const Stream& stream,
    const std::string& rendezvous_dir, const CollectiveOptions& options,
    std::unique_ptr<Collective> host);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_NCCL_COLLECTIVE_H_
