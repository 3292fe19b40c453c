// SPDX-License-Identifier: Apache-2.0

// How a program shows log lines, for commands alone.

#ifndef CONTINUO_RUNTIME_BASE_LOG_REWRITER_H_
#define CONTINUO_RUNTIME_BASE_LOG_REWRITER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace continuo {

// Writes each message as `rewrite` returns it; null writes it as it is.
// Commands show flags in place of fields so (runtime/command/flag_names.h).
void SetLogRewriter(std::string (*rewrite)(absl::string_view));

// Shows this process as one of several: `name` ("rank 3") before each message.
// Before other threads are started.
void SetLogName(absl::string_view name);

// Also appends what is shown, and lines of INFO that are not, to a file.
absl::Status AppendLogTo(const std::string& path);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_LOG_REWRITER_H_
