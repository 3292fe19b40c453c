// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/mpi_messages.h"

#include <sched.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/collective/collective_calls.h"

namespace continuo {
namespace {

// Notices have tag 0, and calls those above; MPI promises tags up to 32767.
constexpr int kNoticeTag = 0;
constexpr int kTags = 32000;
// First letters of notices; a reason or the number of a call follows.
constexpr char kGaveUp = 'G';
constexpr char kLeft = 'L';
constexpr size_t kMaxReason = 4000;

// Open MPI moves data only while it is asked how far it is: pauses cost
// bandwidth. So there are none until nothing has come for the first time, and
// then, as the others compute, half of the time.
constexpr absl::Duration kBusyTime = absl::Milliseconds(200);
constexpr absl::Duration kPause = absl::Milliseconds(1);

}  // namespace

MpiMessages::MpiMessages(const MpiLibrary& mpi, int rank, int size,
                         const CollectiveOptions& options)
    : mpi_(mpi),
      rank_(rank),
      size_(size),
      options_(options),
      left_after_(static_cast<size_t>(size), -1) {}

absl::Status MpiMessages::Begin(std::string what) {
  what_ = std::move(what);
  ++call_;
  return Poll();
}

int MpiMessages::Tag() const { return 1 + static_cast<int>(call_ % kTags); }

void MpiMessages::Send(int to, const void* from, int64_t bytes) {
  const char* part = static_cast<const char*>(from);
  for (int64_t left = bytes; left > 0;) {
    const int64_t count = std::min(left, options_.message_bytes);
    MPI_Request request = nullptr;
    const int code = mpi_.Isend(part, static_cast<int>(count), mpi_.byte, to,
                                Tag(), mpi_.world, &request);
    Add(code, "Isend", request, to, /*receives=*/false);
    part += count;
    left -= count;
  }
}

void MpiMessages::Receive(int from, void* to, int64_t bytes) {
  char* part = static_cast<char*>(to);
  for (int64_t left = bytes; left > 0;) {
    const int64_t count = std::min(left, options_.message_bytes);
    MPI_Request request = nullptr;
    const int code = mpi_.Irecv(part, static_cast<int>(count), mpi_.byte, from,
                                Tag(), mpi_.world, &request);
    Add(code, "Irecv", request, from, /*receives=*/true);
    part += count;
    left -= count;
  }
}

void MpiMessages::ReduceSum(float* data, int64_t count) {
  const int64_t most = std::max<int64_t>(
      1, options_.message_bytes / static_cast<int64_t>(sizeof(float)));
  for (int64_t begin = 0; begin < count; begin += most) {
    MPI_Request request = nullptr;
    const int code =
        mpi_.Iallreduce(MPI_IN_PLACE, data + begin,
                        static_cast<int>(std::min(most, count - begin)),
                        mpi_.float_type, mpi_.sum, mpi_.world, &request);
    Add(code, "Iallreduce", request, -1, /*receives=*/true);
  }
}

void MpiMessages::Add(int code, absl::string_view call, MPI_Request request,
                      int peer, bool receives) {
  if (code == MPI_SUCCESS) {
    pending_.push_back({request, peer, receives});
  } else {
    Fail(MpiStatus(mpi_, code, call));
  }
}

absl::Status MpiMessages::End() {
  const absl::Status ended = WaitUntil([this] { return PendingDone(); },
                                       [this] { return PendingPeers(); });
  pending_.clear();
  return ended;
}

absl::Status MpiMessages::WaitUntil(
    absl::FunctionRef<bool()> done,
    absl::FunctionRef<std::vector<int>()> missing) {
  const absl::Duration begin = MonotonicTime();
  absl::Duration progress = begin;
  absl::Duration paused = begin;
  size_t pending = pending_.size();
  while (failure_.ok() && !done()) {
    ReadNotices();
    CheckLeft();
    const absl::Duration now = MonotonicTime();
    if (pending_.size() < pending) progress = now;
    pending = pending_.size();
    if (now - begin > options_.timeout) {
      Fail(MissingRanks(what_, options_.timeout, missing(), hosts_));
    } else if (now - progress < kBusyTime || now - paused < kPause) {
      sched_yield();
    } else {
      absl::SleepFor(kPause);
      paused = MonotonicTime();
    }
  }
  // A rank that has given up may have freed what it was sending. It has said so
  // before.
  return Poll();
}

bool MpiMessages::PendingDone() {
  for (size_t i = 0; i < pending_.size();) {
    int done = 0;
    MPI_Status status;
    const int code = mpi_.Test(&pending_[i].request, &done, &status);
    if (code != MPI_SUCCESS) {
      Fail(Annotate(MpiStatus(mpi_, code, "Test"), what_));
      return false;
    }
    if (done == 0) {
      ++i;
    } else {
      pending_[i] = pending_.back();
      pending_.pop_back();
    }
  }
  return pending_.empty();
}

std::vector<int> MpiMessages::PendingPeers() {
  std::vector<int> senders;
  std::vector<int> receivers;
  for (const Pending& pending : pending_) {
    for (int rank = 0; rank < size_; ++rank) {
      if (rank == rank_ || (pending.peer >= 0 && rank != pending.peer))
        continue;
      (pending.receives ? senders : receivers).push_back(rank);
    }
  }
  // Whoever does not take what this rank sends may be waiting for somebody
  // else; whoever sends nothing is not there.
  std::vector<int> peers = senders.empty() ? receivers : senders;
  std::sort(peers.begin(), peers.end());
  peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
  return peers;
}

absl::Status MpiMessages::Poll() {
  if (failure_.ok()) ReadNotices();
  return failure_;
}

void MpiMessages::ReadNotices() {
  while (failure_.ok()) {
    int there = 0;
    MPI_Status status;
    int code =
        mpi_.Iprobe(MPI_ANY_SOURCE, kNoticeTag, mpi_.world, &there, &status);
    if (code == MPI_SUCCESS && there == 0) return;
    std::string notice;
    int length = 0;
    if (code == MPI_SUCCESS) {
      code = mpi_.Get_count(&status, mpi_.byte, &length);
    }
    if (code == MPI_SUCCESS) {
      notice.resize(static_cast<size_t>(std::max(length, 1)));
      code = mpi_.Recv(notice.data(), length, mpi_.byte, status.MPI_SOURCE,
                       kNoticeTag, mpi_.world, MPI_STATUS_IGNORE);
    }
    if (code != MPI_SUCCESS) {
      Fail(MpiStatus(mpi_, code, "Recv"));
      return;
    }
    const absl::string_view text = absl::string_view(notice).substr(1);
    const int from = status.MPI_SOURCE;
    if (notice[0] == kGaveUp) {
      failure_ = GaveUp(from, hosts_, text);
    } else if (!absl::SimpleAtoi(text,
                                 &left_after_[static_cast<size_t>(from)])) {
      Fail(absl::InternalError("a message between ranks is damaged"));
    }
  }
}

void MpiMessages::CheckLeft() {
  for (const Pending& pending : pending_) {
    for (int rank = 0; rank < size_; ++rank) {
      if (pending.peer >= 0 && rank != pending.peer) continue;
      const int64_t last = left_after_[static_cast<size_t>(rank)];
      if (last < 0 || last >= call_) continue;
      Fail(HasLeft(rank, hosts_, what_));
      return;
    }
  }
}

absl::Status MpiMessages::Leave() {
  if (!failure_.ok()) return failure_;
  what_ = "its end";
  left_after_[static_cast<size_t>(rank_)] = call_;
  Tell(absl::StrCat(std::string(1, kLeft), call_));
  const auto here = [this] {
    std::vector<int> ranks;
    for (int rank = 0; rank < size_; ++rank) {
      if (left_after_[static_cast<size_t>(rank)] < 0) ranks.push_back(rank);
    }
    return ranks;
  };
  return WaitUntil([&] { return here().empty(); }, here);
}

void MpiMessages::GiveUp(const absl::Status& why) { Fail(why); }

void MpiMessages::Fail(absl::Status why) {
  if (!failure_.ok()) return;
  failure_ = std::move(why);
  Tell(absl::StrCat(std::string(1, kGaveUp),
                    failure_.message().substr(0, kMaxReason)));
}

void MpiMessages::Tell(const std::string& notice) {
  // Not freed: it may still be on its way when the process ends.
  const auto& sent = *new std::string(notice);
  std::vector<MPI_Request> requests;
  for (int rank = 0; rank < size_; ++rank) {
    if (rank == rank_) continue;
    MPI_Request request = nullptr;
    // Whether it arrives or not, this rank goes its way.
    if (mpi_.Isend(sent.data(), static_cast<int>(sent.size()), mpi_.byte, rank,
                   kNoticeTag, mpi_.world, &request) == MPI_SUCCESS) {
      requests.push_back(request);
    }
  }
  const absl::Duration begin = MonotonicTime();
  while (MonotonicTime() - begin < absl::Seconds(1)) {
    int done = 0;
    if (mpi_.Testall(static_cast<int>(requests.size()), requests.data(), &done,
                     MPI_STATUSES_IGNORE) != MPI_SUCCESS ||
        done != 0) {
      return;
    }
    absl::SleepFor(kPause);
  }
}

}  // namespace continuo
