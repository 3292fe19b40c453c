// SPDX-License-Identifier: Apache-2.0

// OneHotEncoding: a numbering of single events, and the encoder whose inputs
// and labels are just these numbers. The lookback encoder builds on the same
// numbering.

#ifndef CONTINUO_DATA_EVENTS_ENCODING_ONE_HOT_H_
#define CONTINUO_DATA_EVENTS_ENCODING_ONE_HOT_H_

#include <array>
#include <memory>

#include "absl/status/status.h"
#include "data/events/encoding/event_encoder.h"

namespace continuo {

// Stateless and safe to share between threads.
class OneHotEncoding {
 public:
  virtual ~OneHotEncoding() = default;

  virtual int num_classes() const = 0;
  virtual Event default_event() const = 0;

  // The index of `event` in [0, num_classes), or -1 if it has none.
  virtual int EventToIndex(Event event) const = 0;
  // The event of an index in [0, num_classes).
  virtual Event IndexToEvent(int index) const = 0;

  // Time steps that an event stands for.
  virtual int64_t EventSteps(Event) const { return 1; }

  // InvalidArgument that says why `event` has no index.
  virtual absl::Status OutOfRange(Event event) const = 0;
};

// Input: one-hot of the current event. Label: index of the event.
class OneHotEncoder : public EventEncoder {
 public:
  // `index_inputs`: see EventEncoder::index_inputs.
  explicit OneHotEncoder(std::unique_ptr<const OneHotEncoding> one_hot,
                         bool index_inputs = false);

  int input_size() const override { return head_sizes_[0]; }
  bool index_inputs() const override { return index_inputs_; }
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
  // Of derived encoders too: the table holds their EncodeInputs.
  std::optional<InputFeedbackSpec> InputFeedback() const override;

 protected:
  const OneHotEncoding& one_hot() const { return *one_hot_; }

 private:
  std::unique_ptr<const OneHotEncoding> one_hot_;
  bool index_inputs_;
  std::array<int, 1> head_sizes_;
  std::array<int64_t, 1> default_label_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_ENCODING_ONE_HOT_H_
