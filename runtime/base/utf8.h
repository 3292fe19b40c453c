// SPDX-License-Identifier: Apache-2.0

// Text whose encoding is not known.

#ifndef CONTINUO_RUNTIME_BASE_UTF8_H_
#define CONTINUO_RUNTIME_BASE_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace continuo {

// Whether `text` is UTF-8: no overlong forms, no surrogates, nothing above
// U+10FFFF.
bool IsUtf8(absl::string_view text);

// `text` as it is if it is UTF-8; anything else is taken for Latin-1.
std::string Utf8OrLatin1(absl::string_view text);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_UTF8_H_
