// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/roll_call.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "runtime/base/clock.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr absl::Duration kRollCallPause = absl::Milliseconds(20);

}  // namespace

std::string RollCall::Path(absl::string_view name) const {
  return JoinPath(folder_, absl::StrCat(name, "-", nonce_));
}

void RollCall::RemoveOld(const std::string& folder) {
  for (const char* pattern : {"failure-*", "here-*"}) {
    const auto paths = Glob(JoinPath(folder, pattern));
    if (!paths.ok()) continue;
    for (const std::string& path : *paths) (void)unlink(path.c_str());
  }
}

std::optional<RollCall::Reason> RollCall::Called() const {
  const std::string path = Path("failure");
  if (folder_.empty() || !FileExists(path)) return std::nullopt;
  const auto text = ReadFile(path, 1 << 20);
  if (!text.ok()) return std::nullopt;
  const std::vector<std::string> parts =
      absl::StrSplit(*text, absl::MaxSplits(' ', 2));
  Reason reason;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &reason.rank)) {
    return std::nullopt;
  }
  reason.gave_up = parts[1] == "gave_up";
  reason.text = parts[2];
  return reason;
}

void RollCall::Call(bool gave_up, absl::string_view text) {
  if (folder_.empty()) return;
  // Written aside and linked, so that the first one stays, whole.
  const std::string mine = Path(absl::StrCat("failure-of-", rank_));
  const std::string all = absl::StrCat(
      rank_, gave_up ? " gave_up " : " misses ", text.substr(0, 4000));
  if (!WriteFileAtomically(mine, all, Durability::kUnsynced).ok()) return;
  (void)!link(mine.c_str(), Path("failure").c_str());
  (void)unlink(mine.c_str());
}

void RollCall::Answer(int64_t calls) {
  if (folder_.empty()) return;
  // Whoever cannot write counts as missing, and is.
  (void)WriteFileAtomically(Path(absl::StrCat("here-", rank_)),
                            absl::StrCat(calls), Durability::kUnsynced);
}

std::vector<int> RollCall::Missing(absl::Duration patience) const {
  if (folder_.empty()) return {};
  const absl::Duration begin = MonotonicTime();
  for (;; absl::SleepFor(kRollCallPause)) {
    std::vector<int> missing;
    std::vector<int64_t> calls(static_cast<size_t>(size_), -1);
    for (int rank = 0; rank < size_; ++rank) {
      const auto text = ReadFile(Path(absl::StrCat("here-", rank)), 100);
      if (!text.ok() ||
          !absl::SimpleAtoi(*text, &calls[static_cast<size_t>(rank)])) {
        missing.push_back(rank);
      }
    }
    if (!missing.empty()) {
      if (MonotonicTime() - begin > patience) return missing;
      continue;
    }
    const int64_t least = *std::min_element(calls.begin(), calls.end());
    const int64_t most = *std::max_element(calls.begin(), calls.end());
    if (least == most) return {};
    for (int rank = 0; rank < size_; ++rank) {
      if (calls[static_cast<size_t>(rank)] == least) missing.push_back(rank);
    }
    return missing;
  }
}

}  // namespace continuo
