// SPDX-License-Identifier: Apache-2.0

// Log lines that say the same again and again, once.

#ifndef CONTINUO_RUNTIME_BASE_LOG_ONCE_H_
#define CONTINUO_RUNTIME_BASE_LOG_ONCE_H_

#include <string>

namespace continuo {

// Logs `line` at DEBUG unless it has been logged so before. Thread-safe.
void LogDebugOnce(const std::string& line);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_LOG_ONCE_H_
