// SPDX-License-Identifier: Apache-2.0

// --rendezvous_dir and --collective_timeout, of commands whose processes talk
// to each other.

#ifndef CONTINUO_RUNTIME_COMMAND_COLLECTIVE_FLAGS_H_
#define CONTINUO_RUNTIME_COMMAND_COLLECTIVE_FLAGS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/collective/collective.h"
#include "runtime/collective/launch_identity.h"
#include "runtime/device/device.h"

namespace continuo {

// Connects this process, which LaunchIdentityOfFlags has named, with the
// others, as MakeCollective does. They meet in --rendezvous_dir, without it in
// `default_dir`.
absl::StatusOr<std::unique_ptr<Collective>> MakeCollectiveOfFlags(
    const LaunchIdentity& identity, const Stream& stream,
    const std::string& default_dir);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_COLLECTIVE_FLAGS_H_
