// SPDX-License-Identifier: Apache-2.0

// Python literals, as lists are given: numbers, True and False, and lists and
// tuples of them, e.g. [60, -2, 62] or [(36, 42), ()].

#ifndef CONTINUO_GENERATE_REQUESTS_PYTHON_LITERAL_H_
#define CONTINUO_GENERATE_REQUESTS_PYTHON_LITERAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace continuo {

struct PythonLiteral {
  enum class Kind { kInt, kFloat, kBool, kList, kTuple };
  Kind kind = Kind::kInt;
  int64_t integer = 0;               // kInt; kBool: 0 or 1
  double number = 0;                 // kInt and kFloat
  std::vector<PythonLiteral> items;  // kList and kTuple
  size_t position = 0;               // byte of the text where it begins

  bool is_sequence() const {
    return kind == Kind::kList || kind == Kind::kTuple;
  }
};

// Parses a whole text. InvalidArgument shows the place:
//   unexpected “ (typographic quotes come with copied text; type plain ones)
//     “[60, -2]”
//     ^
// Nesting is limited to 16 levels.
absl::StatusOr<PythonLiteral> ParsePythonLiteral(absl::string_view text);

// `message`, and below it the part of `text` around byte `position` with a
// caret under that character.
std::string PointAt(absl::string_view message, absl::string_view text,
                    size_t position);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_PYTHON_LITERAL_H_
