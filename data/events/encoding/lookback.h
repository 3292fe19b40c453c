// SPDX-License-Identifier: Apache-2.0

// The lookback encoder over any one-hot numbering (data/events/README.md):
// lookback_rnn uses distances 16 and 32 and 5 counter bits; drums use no
// distances and 6 bits.

#ifndef CONTINUO_DATA_EVENTS_ENCODING_LOOKBACK_H_
#define CONTINUO_DATA_EVENTS_ENCODING_LOOKBACK_H_

#include <array>
#include <memory>
#include <vector>

#include "data/events/encoding/event_encoder.h"
#include "data/events/encoding/one_hot.h"

namespace continuo {

// Columns, with n classes and |D| distances: n one-hot of the event, n per
// distance the event that would follow if the melody repeated, the counter
// bits of the next position (+1 / -1, lowest first), one repeat flag per
// distance. Labels: n classes, then one per distance.
class LookbackEncoder : public EventEncoder {
 public:
  // `distances` ascending, in steps.
  LookbackEncoder(std::unique_ptr<const OneHotEncoding> one_hot,
                  std::vector<int> distances, int counter_bits);

  int input_size() const override { return input_size_; }
  absl::Span<const int> head_sizes() const override { return head_sizes_; }
  Event default_event() const override { return one_hot_->default_event(); }
  absl::Span<const int64_t> default_label() const override {
    return default_label_;
  }
  absl::Status EncodeInputs(absl::Span<const Event> events, int begin, int end,
                            SparseRows* rows) const override;
  absl::Status EncodeLabel(absl::Span<const Event> events, int position,
                           absl::Span<int64_t> label) const override;
  Event DecodeLabel(absl::Span<const int64_t> label,
                    absl::Span<const Event> history) const override;
  int64_t LabelsToNumSteps(absl::Span<const int64_t> labels) const override;
  std::optional<InputFeedbackSpec> InputFeedback() const override;

 private:
  int num_distances() const { return static_cast<int>(distances_.size()); }

  std::unique_ptr<const OneHotEncoding> one_hot_;
  std::vector<int> distances_;
  int counter_bits_;
  int num_events_;  // classes of one_hot_
  int input_size_;
  std::array<int, 1> head_sizes_;
  std::array<int64_t, 1> default_label_;
};

// The pieces that the key melody encoder shares.

// Adds `bits` columns from `column` on: bit i of the next position's number
// (position + 1), lowest first, as +1 (set) or -1 (clear).
void AddCounterBits(int position, int bits, int column, SparseRows* rows);

// True if `distance` steps before `position` there was the same event.
bool RepeatsAt(absl::Span<const Event> events, int position, int distance);

// The repeat class of events[position] as an index into `distances`, or -1: a
// default event before the last distance counts as the last repeat, else the
// farthest repeat wins.
int RepeatIndex(absl::Span<const Event> events, int position,
                absl::Span<const int> distances, Event default_event);

// The event `distance` steps before the end of `history` plus one: what a
// repeat class stands for. The default event if `history` is too short.
Event RepeatedEvent(absl::Span<const Event> history, int distance,
                    Event default_event);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_ENCODING_LOOKBACK_H_
