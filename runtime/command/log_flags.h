// SPDX-License-Identifier: Apache-2.0

// --log, which every command has.

#ifndef CONTINUO_RUNTIME_COMMAND_LOG_FLAGS_H_
#define CONTINUO_RUNTIME_COMMAND_LOG_FLAGS_H_

#include <string>

#include "absl/flags/declare.h"
#include "absl/status/status.h"

ABSL_DECLARE_FLAG(std::string, log);

namespace continuo {

// Sets the minimum severity to --log.
absl::Status SetLogLevelOfFlags();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COMMAND_LOG_FLAGS_H_
