// SPDX-License-Identifier: Apache-2.0

#include "data/records/example.h"

#include "absl/strings/str_cat.h"
#include "data/records/compact_record.h"
#include "runtime/base/status.h"

namespace continuo {

absl::Status ParseExample(absl::string_view record, const ExampleFormat& format,
                          absl::string_view where, EncodedSequence* example) {
  if (!IsCompactRecord(record)) {
    return ParseSequenceExample(record, format, where, example);
  }
  if (format.compact == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": a compact example, but ", format.config,
                     " expects SequenceExamples"));
  }
  CompactExample message;
  CONTINUO_RETURN_IF_ERROR(ParseCompactRecord(record, where, &message));
  return format.compact->Decode(message, where, format.config, example);
}

}  // namespace continuo
