// SPDX-License-Identifier: Apache-2.0

// Training examples in any form in which files hold them: SequenceExamples and
// compact records, told apart record by record.

#ifndef CONTINUO_DATA_RECORDS_EXAMPLE_H_
#define CONTINUO_DATA_RECORDS_EXAMPLE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/records/sequence_example.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// Replaces `example` by the one in `record`; of both forms of the same example
// come the same bits. Errors as those of ParseSequenceExample and
// CompactDecoder::Decode.
absl::Status ParseExample(absl::string_view record, const ExampleFormat& format,
                          absl::string_view where, EncodedSequence* example);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_EXAMPLE_H_
