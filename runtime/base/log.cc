// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/log.h"

#include <errno.h>
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
std::atomic<std::FILE*> copy{nullptr};  // of AppendLogTo

std::string& Name() {
  static auto& name = *new std::string();
  return name;
}

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

void SetLogName(absl::string_view name) { Name() = absl::StrCat(name, ": "); }

absl::Status AppendLogTo(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  }
  std::FILE* const before = copy.exchange(file);
  if (before != nullptr) std::fclose(before);
  return absl::OkStatus();
}

void LogMessage(LogLevel level, absl::string_view message) {
  const bool shown = level >= MinLogLevel();
  std::FILE* const file = copy.load();
  if (!shown && (file == nullptr || level < LogLevel::kInfo)) return;
  const auto rewrite = rewriter.load();
  const std::string line = absl::StrCat(
      kNames[static_cast<int>(level)], ": ", Name(),
      rewrite == nullptr ? std::string(message) : rewrite(message), "\n");
  if (shown) std::fwrite(line.data(), 1, line.size(), stderr);
  if (file == nullptr) return;
  // It is for people: a disk that is full must not end the work.
  std::fwrite(line.data(), 1, line.size(), file);
  std::fflush(file);
}

void CheckFailed(const char* file, int line, const char* expr) {
  std::fprintf(stderr, "FATAL: %s:%d: check failed: %s\n", file, line, expr);
  EndBySignal(SIGABRT);
}

}  // namespace continuo
