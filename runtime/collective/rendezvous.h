// SPDX-License-Identifier: Apache-2.0

// Processes that find each other by files in a folder that all of them see.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_RENDEZVOUS_H_
#define CONTINUO_RUNTIME_COLLECTIVE_RENDEZVOUS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/collective/launch_identity.h"

namespace continuo {

struct Rendezvous {
  std::string payload;             // rank 0's
  std::vector<std::string> hosts;  // by rank
  std::string nonce;               // a name that no other meeting has
};

// Returns when all ranks have come and have rank 0's payload, the result of
// `payload` there. Files of earlier meetings are never taken: rank 0 repeats to
// each rank the random number that it has written. DeadlineExceeded names the
// ranks that have not come.
absl::StatusOr<Rendezvous> MeetInFolder(
    const std::string& folder, const LaunchIdentity& identity,
    absl::Duration timeout,
    absl::FunctionRef<absl::StatusOr<std::string>()> payload);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_RENDEZVOUS_H_
