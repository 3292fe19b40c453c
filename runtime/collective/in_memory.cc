// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/in_memory.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/collective/collective_calls.h"

namespace continuo {
namespace {

// What a rank shows the others in a call; the arrays are the caller's.
struct Call {
  std::string what;
  absl::Span<const absl::Span<const float>> send = {};
  absl::Span<const float> data = {};
  absl::string_view bytes = {};
};
using Calls = absl::Span<const Call* const>;

// Where the ranks meet. A call has two parts: all come and show what they have;
// all take what they want. Nobody leaves the second part while others may still
// read what it has shown.
class Meeting {
 public:
  Meeting(int size, absl::Duration timeout)
      : timeout_(std::min(timeout, absl::Hours(24 * 365))),
        hosts_(static_cast<size_t>(size), LocalHostName()),
        calls_(static_cast<size_t>(size), nullptr) {}

  // Calls `take` with the calls of all ranks.
  absl::Status Hold(int rank, const Call& call,
                    absl::FunctionRef<absl::Status(Calls)> take) {
    std::unique_lock lock(mutex_);
    if (failure_.ok() && !left_.empty()) {
      Fail(HasLeft(left_[0], hosts_, call.what));
    }
    if (!failure_.ok()) return failure_;
    calls_[static_cast<size_t>(rank)] = &call;
    const int64_t number = held_;
    if (++present_ == calls_.size()) {
      open_ = true;
      changed_.notify_all();
    } else if (!changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout_),
                                  [&] { return open_ || !failure_.ok(); })) {
      Fail(MissingRanks(call.what, timeout_, Missing(), hosts_));
    }
    if (!failure_.ok()) {
      changed_.wait(lock, [&] { return taking_ == 0; });
      return failure_;
    }
    ++taking_;
    lock.unlock();
    absl::Status taken = take(calls_);
    lock.lock();
    --taking_;
    if (!taken.ok()) {
      Fail(std::move(taken));
      failed_call_ = number;
    }
    if (++done_ == calls_.size()) {
      std::fill(calls_.begin(), calls_.end(), nullptr);
      present_ = done_ = 0;
      open_ = false;
      ++held_;
    }
    changed_.notify_all();
    changed_.wait(lock, [&] {
      return held_ > number || (!failure_.ok() && taking_ == 0);
    });
    // A failure after the call is for the next one.
    if (held_ > number && failed_call_ != number) return absl::OkStatus();
    return failure_;
  }

  void GiveUp(int rank, const absl::Status& why) {
    const std::unique_lock lock(mutex_);
    Fail(GaveUp(rank, hosts_, why.message()));
  }

  void Leave(int rank) {
    const std::unique_lock lock(mutex_);
    left_.push_back(rank);
    if (!failure_.ok()) return;
    for (const Call* call : calls_) {
      if (call != nullptr) Fail(HasLeft(rank, hosts_, call->what));
    }
  }

 private:
  void Fail(absl::Status why) {
    if (failure_.ok()) failure_ = std::move(why);
    changed_.notify_all();
  }

  std::vector<int> Missing() const {
    std::vector<int> missing;
    for (size_t r = 0; r < calls_.size(); ++r) {
      if (calls_[r] == nullptr) missing.push_back(static_cast<int>(r));
    }
    return missing;
  }

  const absl::Duration timeout_;
  const std::vector<std::string> hosts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<const Call*> calls_;  // null: not yet come
  size_t present_ = 0;              // have come
  size_t taking_ = 0;               // are reading the others' arrays
  size_t done_ = 0;                 // have read them
  bool open_ = false;               // all have come
  int64_t held_ = 0;                // calls completed
  int64_t failed_call_ = -1;        // in which a rank could not take its part
  std::vector<int> left_;
  absl::Status failure_;
};

absl::Status CheckSameCall(Calls calls) {
  for (const Call* call : calls) {
    if (call->what != calls[0]->what) {
      return absl::InvalidArgumentError(
          absl::StrCat("the ranks make different calls: ", calls[0]->what,
                       " and ", call->what));
    }
  }
  return absl::OkStatus();
}

class InMemory : public Collective {
 public:
  InMemory(int rank, int size, std::shared_ptr<Meeting> meeting)
      : Collective(rank, size), meeting_(std::move(meeting)) {}
  ~InMemory() override { meeting_->Leave(rank()); }

  absl::Status Exchange(const Stream& stream,
                        absl::Span<const absl::Span<const float>> send,
                        absl::Span<const absl::Span<float>> receive) override {
    CONTINUO_CHECK(stream.device.type == DeviceType::kCpu);
    CheckExchange(*this, send, receive);
    return Hold({.what = "an exchange", .send = send}, [&](Calls calls) {
      for (size_t r = 0; r < calls.size(); ++r) {
        const auto sent = calls[r]->send[static_cast<size_t>(rank())];
        if (sent.size() != receive[r].size()) {
          return absl::InvalidArgumentError(absl::StrCat(
              "rank ", r, " sends ", sent.size(), " numbers to rank ", rank(),
              ", which expects ", receive[r].size()));
        }
        CONTINUO_RETURN_IF_ERROR(CopyOwnPart(stream, sent, receive[r]));
      }
      return absl::OkStatus();
    });
  }

  absl::Status AllGather(const Stream& stream,
                         absl::Span<const int64_t> slice_begin,
                         absl::Span<float> all) override {
    CONTINUO_CHECK(stream.device.type == DeviceType::kCpu);
    CheckSlices(*this, slice_begin, all.size());
    const Call call = {
        .what = CallText("an all-gather",
                         static_cast<int64_t>(all.size() * sizeof(float))),
        .data = all};
    return Hold(call, [&](Calls calls) {
      for (size_t r = 0; r < calls.size(); ++r) {
        const auto begin = static_cast<size_t>(slice_begin[r]);
        const auto count = static_cast<size_t>(slice_begin[r + 1]) - begin;
        CONTINUO_RETURN_IF_ERROR(
            CopyOwnPart(stream, calls[r]->data.subspan(begin, count),
                        all.subspan(begin, count)));
      }
      return absl::OkStatus();
    });
  }

  absl::Status AllReduceSum(const Stream& stream,
                            absl::Span<float> data) override {
    CONTINUO_CHECK(stream.device.type == DeviceType::kCpu);
    std::vector<float> sum(data.size());
    const Call call = {
        .what = CallText("an all-reduce",
                         static_cast<int64_t>(data.size() * sizeof(float))),
        .data = data};
    CONTINUO_RETURN_IF_ERROR(Hold(call, [&](Calls calls) {
      for (const Call* other : calls) {
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += other->data[i];
      }
      return absl::OkStatus();
    }));
    std::copy(sum.begin(), sum.end(), data.begin());
    return absl::OkStatus();
  }

  absl::Status Wait(const Stream&) override { return absl::OkStatus(); }

  absl::StatusOr<std::vector<std::string>> GatherBytes(
      absl::string_view mine) override {
    std::vector<std::string> all;
    CONTINUO_RETURN_IF_ERROR(
        Hold({.what = "a gathering", .bytes = mine}, [&](Calls calls) {
          for (const Call* call : calls) all.emplace_back(call->bytes);
          return absl::OkStatus();
        }));
    return all;
  }

  absl::Status BroadcastBytes(int root, std::string* bytes) override {
    CONTINUO_CHECK(root >= 0 && root < size());
    std::string taken;
    CONTINUO_RETURN_IF_ERROR(Hold(
        {.what = absl::StrCat("a broadcast of rank ", root), .bytes = *bytes},
        [&](Calls calls) {
          taken = std::string(calls[static_cast<size_t>(root)]->bytes);
          return absl::OkStatus();
        }));
    *bytes = std::move(taken);
    return absl::OkStatus();
  }

  void Abort(const absl::Status& why) override {
    meeting_->GiveUp(rank(), why);
  }

 private:
  absl::Status Hold(const Call& call,
                    absl::FunctionRef<absl::Status(Calls)> take) {
    return meeting_->Hold(rank(), call, [&](Calls calls) {
      CONTINUO_RETURN_IF_ERROR(CheckSameCall(calls));
      return take(calls);
    });
  }

  const std::shared_ptr<Meeting> meeting_;
};

}  // namespace

std::vector<std::unique_ptr<Collective>> MakeInMemory(
    int size, const CollectiveOptions& options) {
  const auto meeting = std::make_shared<Meeting>(size, options.timeout);
  std::vector<std::unique_ptr<Collective>> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.push_back(std::make_unique<InMemory>(rank, size, meeting));
  }
  return ranks;
}

}  // namespace continuo
