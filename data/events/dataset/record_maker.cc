// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/record_maker.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/records/compact_record.h"
#include "data/records/sequence_example_writer.h"
#include "runtime/base/status.h"

namespace continuo {

absl::StatusOr<DatasetFormat> DatasetFormatByName(absl::string_view name) {
  if (name == "magenta") return DatasetFormat::kMagenta;
  if (name == "compact") return DatasetFormat::kCompact;
  return absl::InvalidArgumentError(
      absl::StrCat("`format`=", name, ": expected magenta or compact"));
}

RecordMaker::RecordMaker(const EncodingSpec& encoding, DatasetFormat format)
    : codec_(encoding), is_compact_(format == DatasetFormat::kCompact) {
  const std::unique_ptr<EventEncoder> encoder = MakeEventEncoder(encoding);
  heads_ = encoder->num_heads();
  index_inputs_ = encoder->index_inputs();
}

absl::StatusOr<std::string> RecordMaker::Make(
    const EncodedSequence& example) const {
  if (!is_compact_) {
    return SerializeSequenceExample(example, heads_, index_inputs_);
  }
  CONTINUO_ASSIGN_OR_RETURN(CompactExample record, codec_.Encode(example));
  return SerializeCompactRecord(std::move(record));
}

}  // namespace continuo
