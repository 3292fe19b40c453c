// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/collective_calls.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "runtime/base/log.h"
#include "runtime/device/device_copy.h"

namespace continuo {

void CheckExchange(const Collective& collective,
                   absl::Span<const absl::Span<const float>> send,
                   absl::Span<const absl::Span<float>> receive) {
  const auto size = static_cast<size_t>(collective.size());
  const auto rank = static_cast<size_t>(collective.rank());
  CONTINUO_CHECK(send.size() == size && receive.size() == size);
  CONTINUO_CHECK(send[rank].size() == receive[rank].size());
}

void CheckSlices(const Collective& collective,
                 absl::Span<const int64_t> slice_begin, size_t count) {
  CONTINUO_CHECK(slice_begin.size() ==
                 static_cast<size_t>(collective.size()) + 1);
  CONTINUO_CHECK(slice_begin.front() == 0 &&
                 slice_begin.back() == static_cast<int64_t>(count));
  CONTINUO_CHECK(std::is_sorted(slice_begin.begin(), slice_begin.end()));
}

absl::Status CopyOwnPart(const Stream& stream, absl::Span<const float> send,
                         absl::Span<float> receive) {
  if (send.data() == receive.data()) return absl::OkStatus();
  return CopyBytes(stream, send.data(), receive.data(),
                   static_cast<int64_t>(send.size() * sizeof(float)));
}

std::string LocalHostName() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) return "";
  return name;
}

std::string NameRanks(absl::Span<const int> ranks,
                      absl::Span<const std::string> hosts) {
  constexpr size_t kShown = 8;
  std::vector<std::string> names;
  for (const int rank : ranks.subspan(0, kShown)) {
    const auto place = static_cast<size_t>(rank);
    const bool known = place < hosts.size() && !hosts[place].empty();
    names.push_back(known ? absl::StrCat(rank, " (host ", hosts[place], ")")
                          : absl::StrCat(rank));
  }
  if (ranks.size() > kShown) {
    names.push_back(absl::StrCat(ranks.size() - kShown, " more"));
  }
  const std::string last = names.back();
  names.pop_back();
  if (names.empty()) return "rank " + last;
  return absl::StrCat("ranks ", absl::StrJoin(names, ", "), " and ", last);
}

std::string CallText(absl::string_view what, int64_t bytes) {
  if (bytes < 1000) return absl::StrCat(what, " of ", bytes, " bytes");
  return absl::StrFormat("%s of %.1f %s", what,
                         static_cast<double>(bytes) / (bytes < 1e6 ? 1e3 : 1e6),
                         bytes < 1e6 ? "kB" : "MB");
}

absl::Status MissingRanks(absl::string_view call, absl::Duration timeout,
                          absl::Span<const int> missing,
                          absl::Span<const std::string> hosts) {
  return absl::DeadlineExceededError(absl::StrCat(
      NameRanks(missing, hosts), " did not come to ", call,
      " within `collective_timeout`=", absl::ToDoubleSeconds(timeout),
      " seconds: dead, stopped, cut off, or busy for longer"));
}

absl::Status GaveUp(int rank, absl::Span<const std::string> hosts,
                    absl::string_view why) {
  return absl::AbortedError(
      absl::StrCat(NameRanks({rank}, hosts), " gave up: ", why));
}

absl::Status HasLeft(int rank, absl::Span<const std::string> hosts,
                     absl::string_view call) {
  return absl::AbortedError(
      absl::StrCat(NameRanks({rank}, hosts), " ended before ", call));
}

}  // namespace continuo
