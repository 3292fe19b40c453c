// SPDX-License-Identifier: Apache-2.0

// Collective: one of the processes that work together, and what they do
// together.
//
// Every rank makes the same calls in the same order. A call that is not
// completed by the others within the timeout is an error that names the ranks
// that were not heard of, and so is each call after it: nothing hangs, and
// nobody goes on with half of the ranks.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_COLLECTIVE_H_
#define CONTINUO_RUNTIME_COLLECTIVE_COLLECTIVE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "runtime/device/device.h"

namespace continuo {

struct CollectiveOptions {
  // How long the others may take to come to a call.
  absl::Duration timeout = absl::Minutes(5);
  // To start and meet, they have at least this: loading a library takes seconds
  // on a busy machine.
  absl::Duration least_start = absl::Minutes(1);
  // What is larger travels in parts, where a library counts in 32 bits.
  int64_t message_bytes = int64_t{1} << 30;
};

// Calls come from one thread at a time.
class Collective {
 public:
  virtual ~Collective() = default;
  Collective(const Collective&) = delete;
  Collective& operator=(const Collective&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  // The three that move arrays enqueue on `stream`, whose device's memory they
  // work on; on a CPU they are done on return. On a GPU they may be recorded in
  // a graph, and arrays must not go away until Wait.

  // send[r] goes to rank r, receive[r] comes from rank r and has the size of
  // what that sends here; what is empty is passed over. Memory moves, nothing
  // is added: a sum is the caller's, in its own order.
  virtual absl::Status Exchange(
      const Stream& stream, absl::Span<const absl::Span<const float>> send,
      absl::Span<const absl::Span<float>> receive) = 0;

  // Slice r of `all`, [slice_begin[r], slice_begin[r + 1]) in elements,
  // becomes what rank r has there.
  virtual absl::Status AllGather(const Stream& stream,
                                 absl::Span<const int64_t> slice_begin,
                                 absl::Span<float> all) = 0;

  // `data` becomes the sum of all ranks' `data`, in the library's order: the
  // same bits on all ranks, but not for another number of ranks.
  virtual absl::Status AllReduceSum(const Stream& stream,
                                    absl::Span<float> data) = 0;

  // Waits for all work of the stream. In place of Synchronize wherever the work
  // may have collectives in it: that would wait for a dead rank forever.
  virtual absl::Status Wait(const Stream& stream) = 0;

  // For small things of the host: every rank's bytes, by rank; and the root's
  // bytes to all. On GPUs they may wait for the collectives enqueued before.
  virtual absl::StatusOr<std::vector<std::string>> GatherBytes(
      absl::string_view mine) = 0;
  virtual absl::Status BroadcastBytes(int root, std::string* bytes) = 0;

  // This rank gives up: pending and later calls of the others fail at once with
  // its rank and reason. The first reason counts.
  virtual void Abort(const absl::Status& why) = 0;

  // Returns when all ranks have come here.
  absl::Status Barrier() { return GatherBytes("").status(); }

 protected:
  Collective(int rank, int size) : rank_(rank), size_(size) {}

 private:
  const int rank_;
  const int size_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_COLLECTIVE_H_
