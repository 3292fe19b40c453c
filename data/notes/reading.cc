// SPDX-License-Identifier: Apache-2.0

#include "data/notes/reading.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace continuo {

bool AbslParseFlag(absl::string_view text, Reading* reading,
                   std::string* error) {
  if (text == "standard") {
    *reading = Reading::kStandard;
  } else if (text == "magenta") {
    *reading = Reading::kMagenta;
  } else {
    *error = "expected standard or magenta";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(Reading reading) {
  return reading == Reading::kStandard ? "standard" : "magenta";
}

std::string ReadReport::WarningText() const {
  std::string text;
  for (const auto& [kind, count] : warnings) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", count, " x ", kind);
  }
  return text;
}

}  // namespace continuo
