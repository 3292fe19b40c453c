// SPDX-License-Identifier: Apache-2.0

// SHA-1 (FIPS 180-4). For names only: the ids of NoteSequences.

#ifndef CONTINUO_DATA_NOTES_CONVERT_SHA1_H_
#define CONTINUO_DATA_NOTES_CONVERT_SHA1_H_

#include <string>

#include "absl/strings/string_view.h"

namespace continuo {

// The digest of `text` as 40 lower-case hexadecimal digits.
std::string Sha1Hex(absl::string_view text);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_CONVERT_SHA1_H_
