// SPDX-License-Identifier: Apache-2.0

// The network's inputs of one step: each row's newest event, encoded in
// parallel.

#ifndef CONTINUO_GENERATE_DECODING_ROW_INPUTS_H_
#define CONTINUO_GENERATE_DECODING_ROW_INPUTS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "data/records/sparse_rows.h"
#include "runtime/base/threads.h"

namespace continuo {

// Reused from step to step. Added events must live until Encode returns.
class RowInputs {
 public:
  void Begin() { sources_.clear(); }

  // The next row is a copy of row `row` of `encoded`.
  void AddEncoded(const SparseRows& encoded, int row) {
    sources_.push_back({.encoded = &encoded, .row = row, .events = {}});
  }

  // The next row is the input at the last of `events` (at least one).
  void AddEvents(absl::Span<const Event> events) {
    sources_.push_back({.encoded = nullptr, .row = 0, .events = events});
  }

  // Encodes the rows added since Begin; InvalidArgument of the first row that
  // the encoder refuses.
  absl::Status Encode(const EventEncoder& encoder, ThreadPool* pool);

  const SparseRows& rows() const { return rows_; }

 private:
  struct Source {
    const SparseRows* encoded;
    int row;
    absl::Span<const Event> events;
  };
  std::vector<Source> sources_;
  std::vector<SparseRows> parts_;  // one per task
  std::vector<absl::Status> statuses_;
  SparseRows rows_;
};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_ROW_INPUTS_H_
