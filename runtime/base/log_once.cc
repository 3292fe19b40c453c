// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/log_once.h"

#include <mutex>
#include <set>

#include "runtime/base/log.h"

namespace continuo {

void LogDebugOnce(const std::string& line) {
  static std::mutex mutex;
  static auto& said = *new std::set<std::string>();
  const std::lock_guard<std::mutex> lock(mutex);
  if (said.insert(line).second) LogDebug(line);
}

}  // namespace continuo
