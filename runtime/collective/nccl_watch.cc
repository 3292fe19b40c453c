// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/nccl_watch.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/collective/collective_calls.h"
#include "runtime/device/cuda_status.h"

namespace continuo {
namespace {

constexpr auto kTick = std::chrono::milliseconds(50);
// Looking for files is a question to a file server.
constexpr int kTicksPerLook = 10;
// How long ranks may take to answer a roll call.
constexpr absl::Duration kPatience = absl::Seconds(3);
// Calls of NCCL on this communicator do not wait; one that does all the same is
// ended by the abort itself.
constexpr auto kCallTime = std::chrono::seconds(2);

}  // namespace

absl::Status NcclWatch::Start(int rank, int size, const ncclUniqueId& id) {
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaSetDevice(device_));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  CONTINUO_RETURN_IF_ERROR(NcclStatus(
      nccl_, nccl_.CommInitRankConfig(&communicator_, size, id, rank, &config),
      "CommInitRankConfig"));
  auto thread = Thread::Start([this] { Watch(); });
  if (!thread.ok()) {
    nccl_.CommAbort(communicator_);
    communicator_ = nullptr;
    return thread.status();
  }
  thread_.emplace(*std::move(thread));
  return Do("the beginning", [](ncclComm_t) { return absl::OkStatus(); });
}

NcclWatch::~NcclWatch() {
  if (!thread_.has_value()) return;
  const absl::Status ended = Do("the end", [&](ncclComm_t communicator) {
    return NcclStatus(nccl_, nccl_.CommFinalize(communicator), "CommFinalize");
  });
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_->Join();
  if (communicator_ == nullptr) return;
  if (ended.ok()) {
    nccl_.CommDestroy(communicator_);
  } else {
    nccl_.CommAbort(communicator_);
  }
}

absl::Status NcclWatch::Begin(absl::string_view what, bool in_call) {
  const std::unique_lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  ++calls_;
  waits_for_ = std::string(what);
  waits_since_ = MonotonicTime();
  in_call_ = in_call;
  return absl::OkStatus();
}

absl::Status NcclWatch::Do(absl::string_view what,
                           absl::FunctionRef<absl::Status(ncclComm_t)> work) {
  CONTINUO_RETURN_IF_ERROR(Begin(what, /*in_call=*/true));
  absl::Status result = work(communicator_);
  {
    const std::unique_lock lock(mutex_);
    in_call_ = false;
  }
  changed_.notify_all();
  if (result.ok()) result = Settle();
  return End(result, /*own=*/false);
}

absl::Status NcclWatch::WaitFor(absl::string_view what,
                                absl::FunctionRef<absl::Status()> wait) {
  CONTINUO_RETURN_IF_ERROR(Begin(what, /*in_call=*/false));
  return End(wait(), /*own=*/true);
}

// Calls go on in the background; nothing else may be called before their end.
absl::Status NcclWatch::Settle() {
  for (;;) {
    {
      const std::unique_lock lock(mutex_);
      if (!failure_.ok()) return failure_;
      ncclResult_t state = ncclSuccess;
      CONTINUO_RETURN_IF_ERROR(
          NcclStatus(nccl_, nccl_.CommGetAsyncError(communicator_, &state),
                     "CommGetAsyncError"));
      if (state != ncclInProgress) return NcclStatus(nccl_, state, "Comm");
    }
    absl::SleepFor(absl::Microseconds(50));
  }
}

absl::Status NcclWatch::End(const absl::Status& result, bool own) {
  std::unique_lock lock(mutex_);
  if (failure_.ok() && !result.ok()) {
    trouble_ = {.status = result, .own = own};
    changed_.notify_all();
    changed_.wait(lock, [&] { return !failure_.ok(); });
  }
  waits_for_.clear();
  return failure_;
}

void NcclWatch::GiveUp(const absl::Status& why) {
  std::unique_lock lock(mutex_);
  if (!failure_.ok() || !thread_.has_value()) return;
  trouble_ = {.status = why, .own = true};
  changed_.notify_all();
  changed_.wait(lock, [&] { return !failure_.ok(); });
}

void NcclWatch::Watch() {
  cudaSetDevice(device_);
  for (int tick = 1;; ++tick) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kTick,
                      [&] { return stopping_ || trouble_.has_value(); });
    if (stopping_) return;
    std::optional<Trouble> trouble = FindTrouble();
    const int64_t calls = calls_;
    const std::string call = waits_for_.empty() ? "the next call" : waits_for_;
    lock.unlock();
    if (!trouble.has_value() && tick % kTicksPerLook == 0 &&
        roll_call_.Called().has_value()) {
      trouble.emplace();
    }
    if (!trouble.has_value()) continue;
    absl::Status failure = Explain(*trouble, calls, call);
    lock.lock();
    failure_ = std::move(failure);
    changed_.notify_all();
    changed_.wait_for(lock, kCallTime, [&] { return !in_call_; });
    const ncclComm_t communicator = std::exchange(communicator_, nullptr);
    lock.unlock();
    if (communicator != nullptr) nccl_.CommAbort(communicator);
    return;
  }
}

// Called with the lock.
std::optional<NcclWatch::Trouble> NcclWatch::FindTrouble() {
  if (trouble_.has_value()) return trouble_;
  ncclResult_t state = ncclSuccess;
  nccl_.CommGetAsyncError(communicator_, &state);
  absl::Status status = NcclStatus(nccl_, state, "CommGetAsyncError");
  if (!status.ok()) return Trouble{.status = std::move(status)};
  if (waits_for_.empty() || MonotonicTime() - waits_since_ <= timeout_) {
    return std::nullopt;
  }
  return Trouble{
      .status = absl::DeadlineExceededError(absl::StrCat(
          "not all ranks came to ", waits_for_, " within `collective_timeout`=",
          absl::ToDoubleSeconds(timeout_), " seconds")),
      .timed = true};
}

// Trouble that is OK is somebody else's. Not with the lock: this takes seconds.
absl::Status NcclWatch::Explain(const Trouble& trouble, int64_t calls,
                                const std::string& call) {
  auto reason = roll_call_.Called();
  const bool is_first = !reason.has_value();
  if (is_first) {
    roll_call_.Call(trouble.own, trouble.status.message());
    reason = roll_call_.Called();
  }
  roll_call_.Answer(calls);
  // What the device says may come of a communicator that another has aborted.
  if (trouble.own && (is_first || !reason->gave_up)) return trouble.status;
  if (reason.has_value() && reason->gave_up) {
    return GaveUp(reason->rank, hosts_, reason->text);
  }
  const std::vector<int> missing =
      roll_call_.Missing(std::min(kPatience, timeout_));
  if (missing.empty()) {
    if (trouble.timed) return trouble.status;
    if (!trouble.status.ok()) return Annotate(trouble.status, call);
    return absl::AbortedError(
        absl::StrCat(call, ": ", reason.has_value() ? reason->text : ""));
  }
  if (trouble.timed) return MissingRanks(call, timeout_, missing, hosts_);
  return absl::AbortedError(absl::StrCat(
      NameRanks(missing, hosts_), " did not come to ", call,
      " and does not answer: ",
      trouble.status.ok() ? reason->text : trouble.status.message()));
}

}  // namespace continuo
