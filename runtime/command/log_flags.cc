// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/log_flags.h"

#include "absl/flags/flag.h"
#include "runtime/base/log.h"

ABSL_FLAG(std::string, log, "INFO",
          "Least severity of log lines: DEBUG, INFO, WARN, ERROR or FATAL.");

namespace continuo {

absl::Status SetLogLevelOfFlags() {
  return SetLogLevel(absl::GetFlag(FLAGS_log));
}

}  // namespace continuo
