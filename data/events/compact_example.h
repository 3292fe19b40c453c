// SPDX-License-Identifier: Apache-2.0

// Training examples as compact records (data/records/compact_record.h) and
// back: events from labels, inputs from events.

#ifndef CONTINUO_DATA_EVENTS_COMPACT_EXAMPLE_H_
#define CONTINUO_DATA_EVENTS_COMPACT_EXAMPLE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoder_table.h"
#include "data/records/compact_record.h"
#include "data/records/sequence_example.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// Both directions for one encoding.
class CompactCodec : public CompactDecoder {
 public:
  explicit CompactCodec(const EncodingSpec& spec);

  // EncodingName of the spec.
  const std::string& encoding() const override { return encoding_; }

  // The record of an example, from which Decode makes the same bits. The event
  // before the first label is the one whose inputs are those of the first row.
  // InvalidArgument that names the step if there is no such record: inputs that
  // this encoding does not make of the labels.
  absl::StatusOr<CompactExample> Encode(const EncodedSequence& example) const;

  absl::Status Decode(const CompactExample& record, absl::string_view where,
                      absl::string_view config,
                      EncodedSequence* example) const override;

 private:
  // The events that labels ([n * heads], each within its head) stand for.
  std::vector<Event> Events(absl::Span<const int64_t> labels) const;
  absl::Status CheckLabels(absl::Span<const int64_t> labels) const;
  // Labels of events whose inputs at position 0 are `rows`' first row.
  std::vector<std::vector<int64_t>> FirstLabels(const SparseRows& rows) const;

  EncodingSpec spec_;
  std::string encoding_;
  std::unique_ptr<const EventEncoder> encoder_;  // without controls
  SparseRows first_rows_;  // with one head: the first row of each label
};

// What the examples of an encoding look like in files of either form. `config`
// is who expects them, for messages.
ExampleFormat MakeExampleFormat(const EncodingSpec& spec, std::string config);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_COMPACT_EXAMPLE_H_
