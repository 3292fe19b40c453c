// SPDX-License-Identifier: Apache-2.0

// Log lines on stderr with a minimum severity, and the invariant check.

#ifndef CONTINUO_RUNTIME_BASE_LOG_H_
#define CONTINUO_RUNTIME_BASE_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace continuo {

enum class LogLevel {
  kDebug = 0,
  kInfo = 1,
  kWarn = 2,
  kError = 3,
  kFatal = 4
};

// Sets the minimum severity from DEBUG, INFO, WARN, ERROR or FATAL.
// InvalidArgument for any other text.
absl::Status SetLogLevel(absl::string_view name);
LogLevel MinLogLevel();

// Writes "INFO: message" (one line, atomically) to stderr if `level` is at
// least the minimum. Thread-safe.
void LogMessage(LogLevel level, absl::string_view message);

template <typename... Args>
void LogDebug(const Args&... args) {
  if (MinLogLevel() <= LogLevel::kDebug) {
    LogMessage(LogLevel::kDebug, absl::StrCat(args...));
  }
}
template <typename... Args>
void LogInfo(const Args&... args) {
  LogMessage(LogLevel::kInfo, absl::StrCat(args...));
}
template <typename... Args>
void LogWarn(const Args&... args) {
  LogMessage(LogLevel::kWarn, absl::StrCat(args...));
}
template <typename... Args>
void LogError(const Args&... args) {
  LogMessage(LogLevel::kError, absl::StrCat(args...));
}

[[noreturn]] void CheckFailed(const char* file, int line, const char* expr);

}  // namespace continuo

// Ends the program when an invariant of this code (never of its input) fails.
#define CONTINUO_CHECK(cond) \
  ((cond) ? void(0) : ::continuo::CheckFailed(__FILE__, __LINE__, #cond))

#endif  // CONTINUO_RUNTIME_BASE_LOG_H_
