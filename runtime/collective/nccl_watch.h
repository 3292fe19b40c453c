// SPDX-License-Identifier: Apache-2.0

// A communicator of NCCL and the thread that watches over it.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_NCCL_WATCH_H_
#define CONTINUO_RUNTIME_COLLECTIVE_NCCL_WATCH_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "runtime/base/thread.h"
#include "runtime/collective/nccl_library.h"
#include "runtime/collective/roll_call.h"

namespace continuo {

// The thread that works says when it begins to wait for others and when that is
// over. The watching thread aborts the communicator when that takes longer than
// the timeout, when NCCL has noticed an error, or when another rank has failed;
// what waits for it, host or device, then goes on, and gets the failure.
class NcclWatch {
 public:
  NcclWatch(const NcclLibrary& nccl, int device, RollCall roll_call,
            std::vector<std::string> hosts, absl::Duration timeout)
      : nccl_(nccl),
        device_(device),
        roll_call_(std::move(roll_call)),
        hosts_(std::move(hosts)),
        timeout_(timeout) {}
  // Ends the communicator, in good order if nothing has failed.
  ~NcclWatch();
  NcclWatch(const NcclWatch&) = delete;
  NcclWatch& operator=(const NcclWatch&) = delete;

  // Joins the others and starts to watch.
  absl::Status Start(int rank, int size, const ncclUniqueId& id);

  // Calls `work` on the communicator, and waits until the host's part of it is
  // done. The failure, if there is one.
  absl::Status Do(absl::string_view what,
                  absl::FunctionRef<absl::Status(ncclComm_t)> work);
  // Calls `wait`, which may wait for other ranks.
  absl::Status WaitFor(absl::string_view what,
                       absl::FunctionRef<absl::Status()> wait);
  // This rank's own reason to end.
  void GiveUp(const absl::Status& why);

 private:
  // What has gone wrong, and what is told of it.
  struct Trouble {
    absl::Status status;
    bool own = false;    // of this rank alone
    bool timed = false;  // the timeout is over
  };

  absl::Status Begin(absl::string_view what, bool in_call);
  absl::Status End(const absl::Status& result, bool own);
  absl::Status Settle();
  void Watch();
  std::optional<Trouble> FindTrouble();
  absl::Status Explain(const Trouble& trouble, int64_t calls,
                       const std::string& call);

  const NcclLibrary& nccl_;
  const int device_;
  RollCall roll_call_;
  const std::vector<std::string> hosts_;
  const absl::Duration timeout_;

  std::mutex mutex_;
  std::condition_variable changed_;
  ncclComm_t communicator_ = nullptr;  // null once it is aborted
  bool in_call_ = false;               // the other thread is in NCCL
  std::string waits_for_;              // empty: for nothing
  absl::Duration waits_since_;
  int64_t calls_ = 0;
  std::optional<Trouble> trouble_;  // that the other thread has met
  absl::Status failure_;
  bool stopping_ = false;
  std::optional<Thread> thread_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_NCCL_WATCH_H_
