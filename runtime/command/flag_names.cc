// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/flag_names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace continuo {
namespace {

bool IsFieldName(absl::string_view word) {
  return !word.empty() && absl::ascii_islower(word.front()) &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

// Takes "=false" from the front of `text` if the value ends there.
bool ConsumeFalse(absl::string_view* text) {
  absl::string_view rest = *text;
  if (!absl::ConsumePrefix(&rest, "=false")) return false;
  if (!rest.empty() && (absl::ascii_isalnum(rest.front()) || rest[0] == '_')) {
    return false;
  }
  *text = rest;
  return true;
}

}  // namespace

std::string NameFlags(absl::string_view message) {
  std::string text;
  while (!message.empty()) {
    const size_t open = message.find('`');
    absl::StrAppend(&text, message.substr(0, open));
    if (open == absl::string_view::npos) break;
    message.remove_prefix(open + 1);
    const size_t close = message.find('`');
    const absl::string_view word = message.substr(0, close);
    if (close == absl::string_view::npos || !IsFieldName(word)) {
      absl::StrAppend(&text, "`");
      continue;
    }
    message.remove_prefix(close + 1);
    absl::StrAppend(&text, ConsumeFalse(&message) ? "--no" : "--", word);
  }
  return text;
}

}  // namespace continuo
