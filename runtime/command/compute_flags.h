// SPDX-License-Identifier: Apache-2.0

// Device and precision flags.

#ifndef CONTINUO_RUNTIME_COMMAND_COMPUTE_FLAGS_H_
#define CONTINUO_RUNTIME_COMMAND_COMPUTE_FLAGS_H_

#include "absl/status/statusor.h"
#include "runtime/base/threads.h"
#include "runtime/collective/launch_identity.h"
#include "runtime/device/device.h"

namespace continuo {

// Opens the stream requested by --device, --precision, --rnn_form and
// --rnn_backend, and logs the device; of several processes of a host each takes
// its own (RankDevice). An error names the flag; there is no fallback.
absl::StatusOr<OwnedStream> OpenStreamOfFlags(
    ThreadPool* pool, const LaunchIdentity& identity = {});

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_COMPUTE_FLAGS_H_
