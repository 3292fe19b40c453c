// SPDX-License-Identifier: Apache-2.0

// SequenceExample: from its wire form straight to sparse rows.

#ifndef CONTINUO_DATA_RECORDS_SEQUENCE_EXAMPLE_H_
#define CONTINUO_DATA_RECORDS_SEQUENCE_EXAMPLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/records/compact_record.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// What the examples of one data set must look like.
struct ExampleFormat {
  int input_size = 0;           // floats in each step of "inputs"
  std::vector<int> head_sizes;  // classes of each label of a step of "labels"
  // Instead, a step of "inputs" is one float: the column of the single one in
  // its row of input_size columns (EventEncoder::index_inputs).
  bool index_inputs = false;
  std::string config;  // who expects it ("basic_rnn"), for messages
  // The command that makes such examples, for messages.
  std::string made_by = "the create_dataset command";
  // Reads compact records; without it they are an error.
  std::shared_ptr<const CompactDecoder> compact = nullptr;

  int floats_per_step() const { return index_inputs ? 1 : input_size; }
  int heads() const { return static_cast<int>(head_sizes.size()); }
};

// Replaces `example` by the one in `bytes`. InvalidArgument or DataLoss, with
// `where` (file and record) and the step, for: bytes that are no
// SequenceExample, steps of another width than the format's, values that are
// not finite, labels outside their head, "inputs" and "labels" of different
// lengths, no steps at all. Never reads outside `bytes`, and needs memory in
// proportion to their number at most.
absl::Status ParseSequenceExample(absl::string_view bytes,
                                  const ExampleFormat& format,
                                  absl::string_view where,
                                  EncodedSequence* example);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_SEQUENCE_EXAMPLE_H_
