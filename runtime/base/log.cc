// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/log.h"

#include <signal.h>

#include <atomic>
#include <cstdio>
#include <string>

#include "runtime/base/log_rewriter.h"
#include "runtime/base/stop.h"

namespace continuo {
namespace {

constexpr const char* kNames[] = {"DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

std::atomic<int> min_level{static_cast<int>(LogLevel::kInfo)};
std::atomic<std::string (*)(absl::string_view)> rewriter{nullptr};

}  // namespace

absl::Status SetLogLevel(absl::string_view name) {
  for (int i = 0; i < 5; ++i) {
    if (name == kNames[i]) {
      min_level = i;
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "`log`=", name, ": expected one of DEBUG, INFO, WARN, ERROR, FATAL"));
}

LogLevel MinLogLevel() { return static_cast<LogLevel>(min_level.load()); }

void SetLogRewriter(std::string (*rewrite)(absl::string_view)) {
  rewriter = rewrite;
}

void LogMessage(LogLevel level, absl::string_view message) {
  if (level < MinLogLevel()) return;
  const auto rewrite = rewriter.load();
  const std::string line = absl::StrCat(
      kNames[static_cast<int>(level)], ": ",
      rewrite == nullptr ? std::string(message) : rewrite(message), "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void CheckFailed(const char* file, int line, const char* expr) {
  std::fprintf(stderr, "FATAL: %s:%d: check failed: %s\n", file, line, expr);
  EndBySignal(SIGABRT);
}

}  // namespace continuo
