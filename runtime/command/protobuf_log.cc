// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/protobuf_log.h"

#include "google/protobuf/stubs/common.h"
// Releases from 22 on log through Abseil.
#if GOOGLE_PROTOBUF_VERSION >= 4022000
#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#else
#include "google/protobuf/stubs/logging.h"
#endif

namespace continuo {

void SilenceProtobuf() {
#if GOOGLE_PROTOBUF_VERSION >= 4022000
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kInfinity);
#else
  google::protobuf::SetLogHandler(nullptr);
#endif
}

}  // namespace continuo
