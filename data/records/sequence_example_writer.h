// SPDX-License-Identifier: Apache-2.0

// The wire form of a training example: a SequenceExample with the feature lists
// "inputs" (dense floats) and "labels" (int64), as Magenta's reader expects it
// (data/records/README.md).

#ifndef CONTINUO_DATA_RECORDS_SEQUENCE_EXAMPLE_WRITER_H_
#define CONTINUO_DATA_RECORDS_SEQUENCE_EXAMPLE_WRITER_H_

#include <string>

#include "data/records/sparse_rows.h"

namespace continuo {

// `heads` labels a row; example.labels has [rows * heads]. With `index_inputs`
// (EventEncoder::index_inputs) each row has one entry, and its column is what
// is written.
std::string SerializeSequenceExample(const EncodedSequence& example, int heads,
                                     bool index_inputs = false);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_SEQUENCE_EXAMPLE_WRITER_H_
