// SPDX-License-Identifier: Apache-2.0

#include "data/events/encoding/lookback.h"

#include <utility>

#include "runtime/base/log.h"

namespace continuo {

void AddCounterBits(int position, int bits, int column, SparseRows* rows) {
  const int next = position + 1;
  for (int bit = 0; bit < bits; ++bit) {
    rows->Add(column + bit, (next >> bit) & 1 ? 1.0f : -1.0f);
  }
}

bool RepeatsAt(absl::Span<const Event> events, int position, int distance) {
  return position >= distance &&
         events[position] == events[position - distance];
}

int RepeatIndex(absl::Span<const Event> events, int position,
                absl::Span<const int> distances, Event default_event) {
  const int last = static_cast<int>(distances.size()) - 1;
  if (last >= 0 && position < distances[last] &&
      events[position] == default_event) {
    return last;
  }
  for (int i = last; i >= 0; --i) {
    if (RepeatsAt(events, position, distances[i])) return i;
  }
  return -1;
}

Event RepeatedEvent(absl::Span<const Event> history, int distance,
                    Event default_event) {
  const auto length = static_cast<int64_t>(history.size());
  return length < distance ? default_event : history[length - distance];
}

LookbackEncoder::LookbackEncoder(std::unique_ptr<const OneHotEncoding> one_hot,
                                 std::vector<int> distances, int counter_bits)
    : one_hot_(std::move(one_hot)),
      distances_(std::move(distances)),
      counter_bits_(counter_bits),
      num_events_(one_hot_->num_classes()),
      input_size_(num_events_ * (1 + num_distances()) + counter_bits +
                  num_distances()),
      head_sizes_{num_events_ + num_distances()},
      default_label_{one_hot_->EventToIndex(one_hot_->default_event())} {}

absl::Status LookbackEncoder::EncodeInputs(absl::Span<const Event> events,
                                           int begin, int end,
                                           SparseRows* rows) const {
  rows->width = input_size_;
  for (int position = begin; position < end; ++position) {
    const int index = one_hot_->EventToIndex(events[position]);
    if (index < 0) return one_hot_->OutOfRange(events[position]);
    rows->Add(index, 1.0f);
    int column = num_events_;
    for (int distance : distances_) {
      const int next = position - distance + 1;
      const Event event = next < 0 ? default_event() : events[next];
      const int next_index = one_hot_->EventToIndex(event);
      if (next_index < 0) return one_hot_->OutOfRange(event);
      rows->Add(column + next_index, 1.0f);
      column += num_events_;
    }
    AddCounterBits(position, counter_bits_, column, rows);
    column += counter_bits_;
    for (int distance : distances_) {
      if (RepeatsAt(events, position, distance)) rows->Add(column, 1.0f);
      ++column;
    }
    rows->EndRow();
  }
  return absl::OkStatus();
}

absl::Status LookbackEncoder::EncodeLabel(absl::Span<const Event> events,
                                          int position,
                                          absl::Span<int64_t> label) const {
  // The range comes first: a repeated event outside it must not slip through.
  const int index = one_hot_->EventToIndex(events[position]);
  if (index < 0) return one_hot_->OutOfRange(events[position]);
  const int repeat = RepeatIndex(events, position, distances_, default_event());
  label[0] = repeat >= 0 ? num_events_ + repeat : index;
  return absl::OkStatus();
}

Event LookbackEncoder::DecodeLabel(absl::Span<const int64_t> label,
                                   absl::Span<const Event> history) const {
  CONTINUO_CHECK(label[0] >= 0 && label[0] < head_sizes_[0]);
  const int index = static_cast<int>(label[0]);
  if (index < num_events_) return one_hot_->IndexToEvent(index);
  return RepeatedEvent(history, distances_[index - num_events_],
                       default_event());
}

std::optional<InputFeedbackSpec> LookbackEncoder::InputFeedback() const {
  InputFeedbackSpec spec{.num_events = num_events_,
                         .default_class = static_cast<int>(default_label_[0]),
                         .distances = distances_,
                         .counter_bits = counter_bits_};
  SetOneHotTable(num_events_, &spec);
  return spec;
}

int64_t LookbackEncoder::LabelsToNumSteps(
    absl::Span<const int64_t> labels) const {
  return static_cast<int64_t>(labels.size());
}

}  // namespace continuo
