// SPDX-License-Identifier: Apache-2.0

// Messages between the ranks of an MPI job, with a deadline.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_MPI_MESSAGES_H_
#define CONTINUO_RUNTIME_COLLECTIVE_MPI_MESSAGES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/collective/collective.h"
#include "runtime/collective/mpi_library.h"

namespace continuo {

// What a rank sends and receives in one call, as far as it is under way. All
// messages of a call have its number as their tag.
//
// Beside them, ranks tell each other that they give up or leave. An error of
// any kind is the last one: it is told to the others, and each later call
// returns it.
class MpiMessages {
 public:
  // `mpi` is initialised.
  MpiMessages(const MpiLibrary& mpi, int rank, int size,
              const CollectiveOptions& options);

  void set_hosts(std::vector<std::string> hosts) { hosts_ = std::move(hosts); }
  void set_timeout(absl::Duration timeout) { options_.timeout = timeout; }
  const absl::Status& failure() const { return failure_; }

  // Begins the next call, `what`, of which errors speak. Returns the failure.
  absl::Status Begin(std::string what);
  // Memory must stay until End.
  void Send(int to, const void* from, int64_t bytes);
  void Receive(int from, void* to, int64_t bytes);
  // Adds to `data` in place what the other ranks have there.
  void ReduceSum(float* data, int64_t count);
  // Returns when all of that is done. May be called more than once in a call.
  absl::Status End();

  // Tells the others; nothing after the first failure.
  void GiveUp(const absl::Status& why);
  // Tells the others that no call follows, and waits for all to say so.
  absl::Status Leave();
  // Looks for what others have told; returns the failure.
  absl::Status Poll();

 private:
  struct Pending {
    MPI_Request request;
    int peer;  // -1: all
    bool receives;
  };

  int Tag() const;
  void Add(int code, absl::string_view call, MPI_Request request, int peer,
           bool receives);
  // Polls until `done`; `missing` are the ranks that a timeout is blamed on.
  absl::Status WaitUntil(absl::FunctionRef<bool()> done,
                         absl::FunctionRef<std::vector<int>()> missing);
  bool PendingDone();
  std::vector<int> PendingPeers();
  void ReadNotices();
  void CheckLeft();
  void Tell(const std::string& notice);
  void Fail(absl::Status why);

  const MpiLibrary& mpi_;
  const int rank_;
  const int size_;
  CollectiveOptions options_;
  std::vector<std::string> hosts_;
  std::string what_;
  int64_t call_ = 0;  // its number
  std::vector<Pending> pending_;
  std::vector<int64_t> left_after_;  // the last call of a rank; -1: still here
  absl::Status failure_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_MPI_MESSAGES_H_
