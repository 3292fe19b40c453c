// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/rendezvous.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "runtime/base/clock.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"
#include "runtime/collective/collective_calls.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

constexpr absl::Duration kRendezvousPause = absl::Milliseconds(20);
constexpr int64_t kMaxFileBytes = 64 << 20;

// Three kinds of files. Rank r asks, "NONCE HOST"; rank 0 offers, a line with
// its own nonce and the payload and one for each rank as that asked; rank r
// accepts, "NONCE OFFER'S NONCE". Rank 0 offers again when a request changes,
// which was an old one then, and is done when all have accepted the last offer.
struct Folder {
  std::string path;
  std::string Offer() const { return JoinPath(path, "offer"); }
  std::string Request(int rank) const {
    return JoinPath(path, absl::StrCat("request-", rank));
  }
  std::string Accept(int rank) const {
    return JoinPath(path, absl::StrCat("accept-", rank));
  }
};

std::optional<std::string> ReadIfThere(const std::string& path) {
  if (!FileExists(path)) return std::nullopt;
  auto text = ReadFile(path, kMaxFileBytes);
  if (!text.ok()) return std::nullopt;  // removed meanwhile
  return *std::move(text);
}

std::string MakeNonce() {
  return absl::StrFormat("%016x-%d", RandomSeed(), getpid());
}

std::string RequestText(const std::string& nonce) {
  return absl::StrCat(nonce, " ", LocalHostName());
}

std::string HostOf(absl::string_view request) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(request, absl::MaxSplits(' ', 1));
  return std::string(parts.second);
}

std::string AcceptText(absl::string_view request, absl::string_view nonce) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(request, absl::MaxSplits(' ', 1));
  return absl::StrCat(parts.first, " ", nonce);
}

absl::Status WriteText(const std::string& path, absl::string_view text) {
  return WriteFileAtomically(path, text, Durability::kUnsynced);
}

absl::StatusOr<Rendezvous> Invite(const Folder& folder, int size,
                                  absl::Duration timeout, std::string payload) {
  Rendezvous meeting = {.payload = std::move(payload),
                        .hosts = {LocalHostName()},
                        .nonce = MakeNonce()};
  meeting.hosts.resize(static_cast<size_t>(size));
  (void)unlink(folder.Offer().c_str());
  std::vector<std::string> offered;
  const absl::Duration begin = MonotonicTime();
  for (;; absl::SleepFor(kRendezvousPause)) {
    std::vector<std::string> requests = {RequestText(meeting.nonce)};
    std::vector<int> missing;
    for (int rank = 1; rank < size; ++rank) {
      requests.push_back(ReadIfThere(folder.Request(rank)).value_or(""));
      const std::string& request = requests.back();
      meeting.hosts[static_cast<size_t>(rank)] = HostOf(request);
      if (request.empty() || ReadIfThere(folder.Accept(rank)) !=
                                 AcceptText(request, meeting.nonce)) {
        missing.push_back(rank);
      }
    }
    if (missing.empty()) break;
    if (MonotonicTime() - begin > timeout) {
      return MissingRanks(absl::StrCat("the rendezvous in ", folder.path),
                          timeout, missing, meeting.hosts);
    }
    const bool complete =
        std::find(requests.begin(), requests.end(), "") == requests.end();
    if (!complete || requests == offered) continue;
    std::string offer = absl::StrCat(meeting.nonce, " ",
                                     absl::Base64Escape(meeting.payload), "\n");
    for (const std::string& request : requests) {
      absl::StrAppend(&offer, request, "\n");
    }
    CONTINUO_RETURN_IF_ERROR(WriteText(folder.Offer(), offer));
    offered = std::move(requests);
  }
  for (int rank = 1; rank < size; ++rank) {
    (void)unlink(folder.Request(rank).c_str());
    (void)unlink(folder.Accept(rank).c_str());
  }
  (void)unlink(folder.Offer().c_str());
  return meeting;
}

absl::StatusOr<Rendezvous> Come(const Folder& folder, int rank, int size,
                                absl::Duration timeout) {
  const std::string request = RequestText(MakeNonce());
  CONTINUO_RETURN_IF_ERROR(WriteText(folder.Request(rank), request));
  const absl::Duration begin = MonotonicTime();
  for (;; absl::SleepFor(kRendezvousPause)) {
    if (MonotonicTime() - begin > timeout) {
      return MissingRanks(absl::StrCat("the rendezvous in ", folder.path,
                                       " (or another rank kept it waiting)"),
                          timeout, {0}, {});
    }
    const auto offer = ReadIfThere(folder.Offer());
    if (!offer.has_value()) continue;
    std::vector<std::string> lines = absl::StrSplit(*offer, '\n');
    lines.pop_back();
    if (lines.size() != static_cast<size_t>(size) + 1 ||
        lines[static_cast<size_t>(rank) + 1] != request) {
      continue;  // of an earlier meeting, or made before this rank has asked
    }
    const std::pair<std::string, std::string> head =
        absl::StrSplit(lines[0], absl::MaxSplits(' ', 1));
    Rendezvous meeting = {.payload = {}, .hosts = {}, .nonce = head.first};
    if (!absl::Base64Unescape(head.second, &meeting.payload)) continue;
    for (size_t i = 1; i < lines.size(); ++i) {
      meeting.hosts.push_back(HostOf(lines[i]));
    }
    CONTINUO_RETURN_IF_ERROR(
        WriteText(folder.Accept(rank), AcceptText(request, meeting.nonce)));
    return meeting;
  }
}

}  // namespace

absl::StatusOr<Rendezvous> MeetInFolder(
    const std::string& folder, const LaunchIdentity& identity,
    absl::Duration timeout,
    absl::FunctionRef<absl::StatusOr<std::string>()> payload) {
  CONTINUO_RETURN_IF_ERROR(MakeDirectories(folder));
  if (identity.rank == 0) {
    CONTINUO_ASSIGN_OR_RETURN(std::string made, payload());
    return Invite({folder}, identity.size, timeout, std::move(made));
  }
  return Come({folder}, identity.rank, identity.size, timeout);
}

}  // namespace continuo
