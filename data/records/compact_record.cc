// SPDX-License-Identifier: Apache-2.0

#include "data/records/compact_record.h"

#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace continuo {

bool IsCompactRecord(absl::string_view record) {
  // The tag of field 1, fixed32, and kCompactMagic.
  return absl::StartsWith(record,
                          "\x0d"
                          "CXR1");
}

std::string SerializeCompactRecord(CompactExample message) {
  message.set_magic(kCompactMagic);
  message.set_version(kCompactVersion);
  return message.SerializeAsString();
}

absl::Status ParseCompactRecord(absl::string_view bytes,
                                absl::string_view where,
                                CompactExample* message) {
  if (bytes.size() > std::numeric_limits<int32_t>::max() ||
      !IsCompactRecord(bytes) ||
      !message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      message->magic() != kCompactMagic) {
    return absl::DataLossError(
        absl::StrCat(where, ": not a well-formed compact example"));
  }
  if (message->version() != kCompactVersion) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": a compact example of version ", message->version(),
        ", but this program reads version ", kCompactVersion,
        "; create the data set again, or use the release that wrote it"));
  }
  return absl::OkStatus();
}

}  // namespace continuo
