// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/python_literal.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr int kMaxDepth = 16;
// Columns of text shown before and after the place of an error.
constexpr size_t kContext = 30;

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) >> 6) == 2; }

// The UTF-8 character at `position`, or an escape for a byte that starts none.
std::string CharacterAt(absl::string_view text, size_t position) {
  const uint8_t byte = static_cast<uint8_t>(text[position]);
  if (byte < 0x80) {
    if (absl::ascii_isprint(byte)) {
      return absl::StrCat("'", text.substr(position, 1), "'");
    }
    return absl::StrCat("character ", int{byte});
  }
  size_t end = position + 1;
  while (end < text.size() && end < position + 4 && IsContinuation(text[end])) {
    ++end;
  }
  return std::string(text.substr(position, end - position));
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<PythonLiteral> Parse() {
    SkipBlanks();
    if (AtEnd()) return Error("a value is missing", pos_);
    CONTINUO_ASSIGN_OR_RETURN(PythonLiteral literal, ParseValue(0));
    SkipBlanks();
    if (!AtEnd()) return Unexpected("after the end of the value");
    return literal;
  }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[pos_]; }
  void SkipBlanks() {
    while (!AtEnd() && absl::ascii_isspace(text_[pos_])) ++pos_;
  }

  absl::Status Error(absl::string_view message, size_t position) const {
    return absl::InvalidArgumentError(PointAt(message, text_, position));
  }

  absl::Status Unexpected(absl::string_view where) const {
    if (AtEnd()) {
      return Error(absl::StrCat("the text ends ", where), pos_);
    }
    std::string message =
        absl::StrCat("unexpected ", CharacterAt(text_, pos_), " ", where);
    const uint8_t byte = static_cast<uint8_t>(text_[pos_]);
    if (byte >= 0x80) {
      // What word processors and web pages make of quotes, minus and blank.
      absl::StrAppend(&message,
                      "; only plain ASCII is understood (quotes, dashes and "
                      "blanks of copied text often are not)");
    } else if (byte == '"' || byte == '\'') {
      absl::StrAppend(&message, "; items are numbers, without quotes");
    }
    return Error(message, pos_);
  }

  absl::StatusOr<PythonLiteral> ParseValue(int depth) {
    if (depth > kMaxDepth) return Error("nested too deeply", pos_);
    const char c = Peek();
    if (c == '[') return ParseItems(']', depth);
    if (c == '(') return ParseItems(')', depth);
    if (absl::ascii_isalpha(c)) return ParseWord();
    return ParseNumber();
  }

  // Items up to `close`. "(x)" without a comma is x itself, as in Python.
  absl::StatusOr<PythonLiteral> ParseItems(char close, int depth) {
    PythonLiteral literal;
    literal.kind =
        close == ']' ? PythonLiteral::Kind::kList : PythonLiteral::Kind::kTuple;
    literal.position = pos_++;
    bool comma = true;  // a value may follow
    for (;;) {
      SkipBlanks();
      if (Peek() == close) break;
      if (!comma) {
        return Unexpected(absl::StrCat(
            "where ',' or '", absl::string_view(&close, 1), "' was expected"));
      }
      CONTINUO_ASSIGN_OR_RETURN(PythonLiteral item, ParseValue(depth + 1));
      literal.items.push_back(std::move(item));
      SkipBlanks();
      comma = Peek() == ',';
      if (comma) ++pos_;
    }
    ++pos_;
    if (close == ')' && literal.items.size() == 1 && !comma) {
      PythonLiteral inner = std::move(literal.items[0]);
      return inner;
    }
    return literal;
  }

  absl::StatusOr<PythonLiteral> ParseWord() {
    PythonLiteral literal;
    literal.kind = PythonLiteral::Kind::kBool;
    literal.position = pos_;
    for (const auto& [word, value] : {std::pair("True", 1), {"False", 0}}) {
      if (!absl::StartsWith(text_.substr(pos_), word)) continue;
      pos_ += absl::string_view(word).size();
      if (absl::ascii_isalnum(Peek()) || Peek() == '_') break;
      literal.integer = value;
      literal.number = value;
      return literal;
    }
    pos_ = literal.position;
    return Unexpected("where a number was expected");
  }

  // Digits with single underscores between them.
  bool TakeDigits(std::string* digits) {
    const size_t begin = pos_;
    while (absl::ascii_isdigit(Peek()) ||
           (Peek() == '_' && pos_ > begin && text_[pos_ - 1] != '_' &&
            pos_ + 1 < text_.size() && absl::ascii_isdigit(text_[pos_ + 1]))) {
      if (Peek() != '_') digits->push_back(Peek());
      ++pos_;
    }
    return pos_ > begin;
  }

  absl::StatusOr<PythonLiteral> ParseNumber() {
    PythonLiteral literal;
    literal.position = pos_;
    std::string text;
    if (Peek() == '-' || Peek() == '+') {
      if (Peek() == '-') text.push_back('-');
      ++pos_;
      SkipBlanks();
    }
    const size_t sign = text.size();
    const size_t begin = pos_;
    const bool whole = TakeDigits(&text);
    const size_t whole_end = text.size();
    bool fraction = false;
    bool real = false;
    if (Peek() == '.') {
      real = true;
      text.push_back('.');
      ++pos_;
      fraction = TakeDigits(&text);
    }
    if (!whole && !fraction) {
      if (real) --pos_;
      return Unexpected("where a number was expected");
    }
    if (Peek() == 'e' || Peek() == 'E') {
      real = true;
      text.push_back('e');
      ++pos_;
      if (Peek() == '-' || Peek() == '+') text.push_back(text_[pos_++]);
      if (!TakeDigits(&text)) return Unexpected("in an exponent");
    }
    if (real) {
      literal.kind = PythonLiteral::Kind::kFloat;
      if (!absl::SimpleAtod(text, &literal.number) ||
          !std::isfinite(literal.number)) {
        return Error("the number is out of range", begin);
      }
      return literal;
    }
    if (whole_end > sign + 1 && text[sign] == '0' &&
        text.find_first_not_of('0', sign) != std::string::npos) {
      return Error("a whole number may not begin with 0", begin);
    }
    if (!absl::SimpleAtoi(text, &literal.integer)) {
      return Error("the number is out of range", begin);
    }
    literal.number = static_cast<double>(literal.integer);
    return literal;
  }

  absl::string_view text_;
  size_t pos_ = 0;
};

}  // namespace

std::string PointAt(absl::string_view message, absl::string_view text,
                    size_t position) {
  position = std::min(position, text.size());
  size_t begin = position > kContext ? position - kContext : 0;
  while (begin < position && IsContinuation(text[begin])) ++begin;
  size_t end = std::min(text.size(), position + kContext);
  while (end < text.size() && IsContinuation(text[end])) ++end;

  std::string shown = begin > 0 ? "..." : "";
  std::string caret(shown.size(), ' ');
  for (size_t i = begin; i < end; ++i) {
    // A control character would break the line that the caret points into.
    shown.push_back(absl::ascii_iscntrl(text[i]) ? ' ' : text[i]);
    if (i < position && !IsContinuation(text[i])) caret.push_back(' ');
  }
  if (end < text.size()) shown += "...";
  return absl::StrCat(message, "\n  ", shown, "\n  ", caret, "^");
}

absl::StatusOr<PythonLiteral> ParsePythonLiteral(absl::string_view text) {
  return Parser(text).Parse();
}

}  // namespace continuo
