// SPDX-License-Identifier: Apache-2.0

// Examples as records of either form in which a data set is written.

#ifndef CONTINUO_DATA_EVENTS_DATASET_RECORD_MAKER_H_
#define CONTINUO_DATA_EVENTS_DATASET_RECORD_MAKER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/events/compact_example.h"
#include "data/events/encoder_table.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// What the files of a data set hold: SequenceExamples, as Magenta reads them,
// or compact records (data/records/README.md), which are hundreds of times
// smaller.
enum class DatasetFormat { kMagenta, kCompact };

// The format called "magenta" or "compact"; InvalidArgument names both.
absl::StatusOr<DatasetFormat> DatasetFormatByName(absl::string_view name);

// Stateless and safe to share between threads.
class RecordMaker {
 public:
  RecordMaker(const EncodingSpec& encoding, DatasetFormat format);

  // The record of an example, without framing. InvalidArgument as
  // CompactCodec::Encode.
  absl::StatusOr<std::string> Make(const EncodedSequence& example) const;

  // Whether records have all columns of their inputs.
  bool is_dense() const { return !is_compact_ && !index_inputs_; }

 private:
  CompactCodec codec_;
  int heads_;
  bool index_inputs_;
  bool is_compact_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_RECORD_MAKER_H_
