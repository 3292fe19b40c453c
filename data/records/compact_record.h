// SPDX-License-Identifier: Apache-2.0

// Compact records: training examples from which inputs are made when they are
// read (data/records/README.md). This file knows their wire form alone; what
// labels mean is known in data/events/compact_example.h.

#ifndef CONTINUO_DATA_RECORDS_COMPACT_RECORD_H_
#define CONTINUO_DATA_RECORDS_COMPACT_RECORD_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/proto/compact.pb.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// The value of CompactExample.magic: "CXR1" in the file.
inline constexpr uint32_t kCompactMagic = 0x31525843;
inline constexpr uint32_t kCompactVersion = 1;

// Whether a record begins like a CompactExample of any version.
bool IsCompactRecord(absl::string_view record);

// The record of a message, whose magic number and version are set here.
std::string SerializeCompactRecord(CompactExample message);

// Replaces `message` by the one in `bytes`. DataLoss with `where` (file and
// record) for bytes that are none, InvalidArgument for another version.
absl::Status ParseCompactRecord(absl::string_view bytes,
                                absl::string_view where,
                                CompactExample* message);

// Makes examples of compact records of one encoding. Stateless and safe to
// share between threads.
class CompactDecoder {
 public:
  virtual ~CompactDecoder() = default;

  // The name of the encoding that records must have.
  virtual const std::string& encoding() const = 0;

  // Replaces `example`. InvalidArgument with `where` for a record of another
  // encoding, naming both that and `config`, who expects this one; DataLoss for
  // contents that no example of the encoding can have.
  virtual absl::Status Decode(const CompactExample& record,
                              absl::string_view where, absl::string_view config,
                              EncodedSequence* example) const = 0;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_COMPACT_RECORD_H_
