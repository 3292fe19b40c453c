// SPDX-License-Identifier: Apache-2.0

// --batch, where a command computes many sequences at once.

#ifndef CONTINUO_GENERATE_COMMANDS_BATCH_FLAGS_H_
#define CONTINUO_GENERATE_COMMANDS_BATCH_FLAGS_H_

#include "absl/status/statusor.h"

namespace continuo {

// The value of --batch, 0 for DefaultRows. InvalidArgument if it is negative.
absl::StatusOr<int> BatchOfFlags();

}  // namespace continuo

#endif  // CONTINUO_GENERATE_COMMANDS_BATCH_FLAGS_H_
