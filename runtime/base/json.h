// SPDX-License-Identifier: Apache-2.0

// JSON to and from text. Compiled once: the library's parser and writer are
// templates that take seconds in each source that uses them.

#ifndef CONTINUO_RUNTIME_BASE_JSON_H_
#define CONTINUO_RUNTIME_BASE_JSON_H_

#include <string>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace continuo {

// What is read: fields are found in logarithmic time, so that a file with very
// many cannot take long.
using Json = nlohmann::json;
// What is written: fields stay in the order in which they are set.
using OrderedJson = nlohmann::ordered_json;

// Null if the text is no JSON value, as it is for the text "null": callers want
// objects.
Json ParseJson(absl::string_view text);

// `indent` blanks a level; -1 = one line. Bytes that are no UTF-8 become
// U+FFFD.
std::string JsonText(const Json& json, int indent = -1);
std::string JsonText(const OrderedJson& json, int indent = -1);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_JSON_H_
