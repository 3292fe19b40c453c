// SPDX-License-Identifier: Apache-2.0

// EventEncoder: how a sequence of musical events becomes network inputs and
// labels, and a predicted label an event again. One file per encoding in this
// folder; the table that picks one by name is data/events/encoder_table.h.

#ifndef CONTINUO_DATA_EVENTS_ENCODING_EVENT_ENCODER_H_
#define CONTINUO_DATA_EVENTS_ENCODING_EVENT_ENCODER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/events/encoding/input_feedback_spec.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// One event as the model sees it. Melody: -2 no event, -1 note-off, 0..127
// note-on. Drums: the set of drum classes as a bit mask
// (data/events/drums/drums.h). Performance: type and value packed by
// data/events/performance/performance.h. Every family fits an integer, so that
// one interface, one beam search and one data set serve them all.
using Event = int64_t;

// Stateless and safe to share between threads.
class EventEncoder {
 public:
  virtual ~EventEncoder() = default;

  // Columns of the input.
  virtual int input_size() const = 0;

  // True if rows are one-hots of which files of examples hold only the column,
  // as a single float. Networks see the row either way.
  virtual bool index_inputs() const { return false; }

  // Classes of each softmax head: one number, six for note tuples.
  virtual absl::Span<const int> head_sizes() const = 0;

  // Event that stands for "nothing happens", and its label in each head.
  virtual Event default_event() const = 0;
  virtual absl::Span<const int64_t> default_label() const = 0;

  // Appends the input rows of positions [begin, end) of `events` to `rows`.
  // Row i describes events[0..i] only. InvalidArgument names an event outside
  // the encoder's range.
  virtual absl::Status EncodeInputs(absl::Span<const Event> events, int begin,
                                    int end, SparseRows* rows) const = 0;

  // Writes the label of events[position] given events[0..position-1] to
  // `label` ([heads]).
  virtual absl::Status EncodeLabel(absl::Span<const Event> events, int position,
                                   absl::Span<int64_t> label) const = 0;

  // The event that `label` ([heads], each within its head) stands for after
  // `history`.
  virtual Event DecodeLabel(absl::Span<const int64_t> label,
                            absl::Span<const Event> history) const = 0;

  // Time steps that `labels` ([n * heads]) stand for.
  virtual int64_t LabelsToNumSteps(absl::Span<const int64_t> labels) const = 0;

  // How inputs follow from labels alone, where they do: the rows of
  // EncodeInputs as tables.
  virtual std::optional<InputFeedbackSpec> InputFeedback() const {
    return std::nullopt;
  }

  int num_heads() const { return static_cast<int>(head_sizes().size()); }
  int num_classes() const {
    int total = 0;
    for (int size : head_sizes()) total += size;
    return total;
  }
};

// The training example of a sequence of n >= 2 events: n - 1 rows, input at i
// and label of i + 1.
absl::Status EncodeSequence(const EventEncoder& encoder,
                            absl::Span<const Event> events,
                            EncodedSequence* out);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_ENCODING_EVENT_ENCODER_H_
