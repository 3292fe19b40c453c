// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_lexer.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace continuo {
namespace {

// No tune divides a note that often.
constexpr int kMaxSlashes = 16;

bool IsNoteLetter(char c) {
  const char upper = absl::ascii_toupper(c);
  return upper >= 'A' && upper <= 'G';
}

bool Contains(absl::string_view set, char c) {
  return set.find(c) != absl::string_view::npos;
}

// The position of the first character of `set` from `start` on, or the end.
size_t FindAnyOrEnd(absl::string_view line, absl::string_view set,
                    size_t start) {
  return std::min(line.find_first_of(set, start), line.size());
}

}  // namespace

AbcLexer::AbcLexer(absl::string_view line) : line_(line) {
  for (size_t i = 0; i < line.size(); ++i) quotes_ += IsQuote(i) ? 1 : 0;
}

// Moves to `end` over text whose quotation marks mean nothing.
void AbcLexer::PassQuotes(size_t end) {
  for (; pos_ < end; ++pos_) quotes_ -= IsQuote(pos_) ? 1 : 0;
}

// Decimal digits; nothing, and nothing taken, if there are none. Numbers that
// no notation needs come out as INT32_MAX, for the caller to refuse.
std::optional<int> AbcLexer::TakeNumber() {
  size_t end = pos_;
  while (end < line_.size() && absl::ascii_isdigit(line_[end])) ++end;
  if (end == pos_) return std::nullopt;
  int value = 0;
  if (!absl::SimpleAtoi(line_.substr(pos_, end - pos_), &value)) {
    value = INT32_MAX;
  }
  pos_ = end;
  return value;
}

std::optional<AbcPitch> AbcLexer::TakePitch() {
  const size_t start = pos_;
  AbcPitch pitch;
  const char mark = Peek();
  if (mark == '^' || mark == '_') {
    int change = 0;
    for (; Peek() == mark && change < 2; ++pos_) ++change;
    // "^/f" is a quarter tone, which a note number cannot give.
    if (Peek() == '/') {
      ++pos_;
      change = 0;
      pitch.is_quarter_tone = true;
    }
    pitch.accidental = mark == '^' ? change : -change;
  } else if (mark == '=') {
    ++pos_;
    pitch.accidental = 0;
  }
  if (!IsNoteLetter(Peek())) {
    pos_ = start;
    return std::nullopt;
  }
  pitch.letter = absl::ascii_toupper(Peek()) - 'A';
  pitch.octave = absl::ascii_islower(Peek()) ? 1 : 0;
  ++pos_;
  for (; Peek() == '\'' || Peek() == ','; ++pos_) {
    pitch.octave += Peek() == '\'' ? 1 : -1;
  }
  return pitch;
}

AbcRational AbcLexer::TakeLength() {
  const int num = TakeNumber().value_or(1);
  int slashes = 0;
  for (; Peek() == '/'; ++pos_) ++slashes;
  if (slashes == 0) return {num, 1};
  if (const auto den = TakeNumber()) {
    // "3/4"; more slashes before the number mean nothing more.
    return MakeRational(num, *den);
  }
  if (slashes > kMaxSlashes) return kInvalidRational;
  return MakeRational(num, int64_t{1} << slashes);
}

bool AbcLexer::TakeTie() {
  size_t ahead = 0;
  while (Peek(ahead) == ' ') ++ahead;
  if (Peek(ahead) == '.' && Peek(ahead + 1) == '-') ++ahead;
  if (Peek(ahead) != '-') return false;
  pos_ += ahead + 1;
  return true;
}

// A chord between brackets, or between plus signs as books before 1996 have
// it. Leaves the position alone and gives false if none stands here.
bool AbcLexer::TakeChord(char close, AbcToken* token) {
  const size_t start = pos_;
  const size_t quotes = quotes_;
  AbcToken inner;  // text within the chord
  ++pos_;
  bool tie = false;
  while (pos_ < line_.size() && Peek() != close) {
    if (const auto pitch = TakePitch()) {
      const AbcRational length = TakeLength();
      // The first note decides how long the chord is.
      if (token->pitches.empty()) token->length = length;
      token->pitches.push_back(*pitch);
      tie |= TakeTie();
    } else if (Peek() == '"') {
      TakeText(&inner);
    } else if (Peek() == '!') {
      PassQuotes(FindAnyOrEnd(line_, "!]|", pos_ + 1));
      if (Peek() == '!') ++pos_;
    } else if (Peek() == '|' || Peek() == '[' ||
               (close == '+' && Peek() != ' ')) {
      break;
    } else {
      ++pos_;
    }
  }
  if (Peek() != close || token->pitches.empty()) {
    pos_ = start;
    quotes_ = quotes;
    token->pitches.clear();
    return false;
  }
  ++pos_;
  token->kind = AbcToken::Kind::kNote;
  token->length = token->length * TakeLength();
  token->tie = TakeTie() || tie;
  return true;
}

bool AbcLexer::TakeBracketField(AbcToken* token) {
  if (!absl::ascii_isalpha(Peek(1)) || Peek(2) != ':') return false;
  // "[A:|" and "[A::" are music.
  if (IsNoteLetter(Peek(1)) && (Peek(3) == '|' || Peek(3) == ':')) return false;
  token->kind = AbcToken::Kind::kField;
  token->field = Peek(1);
  const size_t start = pos_ + 3;
  // Remarks and instructions may hold brackets of their own.
  const bool is_text = token->field == 'r' || token->field == 'I';
  size_t close = FindAnyOrEnd(line_, is_text ? "]" : "[]", start);
  const bool closed = close < line_.size() && line_[close] == ']';
  if (!closed && !is_text) {
    token->slip = "a field in brackets without its end, its first word read";
    const size_t word = std::min(line_.find_first_not_of(' ', start), close);
    close = FindAnyOrEnd(line_.substr(0, close), " ", word);
  }
  token->text = absl::StripAsciiWhitespace(line_.substr(start, close - start));
  PassQuotes(closed ? close + 1 : close);
  return true;
}

// "1", "1,2", "1-3", "2." after a bar line.
std::vector<int> AbcLexer::TakeEndings() {
  std::vector<int> endings;
  int range_start = 0;
  while (const auto number = TakeNumber()) {
    if (*number < 1 || *number > kMaxAbcPasses) break;
    for (int i = range_start > 0 ? range_start + 1 : *number; i <= *number;
         ++i) {
      endings.push_back(i);
    }
    range_start = 0;
    if (Peek() == '.') ++pos_;
    if ((Peek() != ',' && Peek() != '-') || !absl::ascii_isdigit(Peek(1))) {
      break;
    }
    if (Peek() == '-') range_start = *number;
    ++pos_;
  }
  return endings;
}

// A run of bar lines, colons and brackets with the endings after it.
bool AbcLexer::TakeBar(AbcToken* token) {
  const size_t start = pos_;
  int colons_before = 0, colons_after = 0, lines = 0;
  bool thick = false;
  for (; Peek() == ':'; ++pos_) ++colons_before;
  for (; pos_ < line_.size(); ++pos_) {
    if (Peek() == '|') {
      ++lines;
    } else if (Peek() == ']' && lines > 0) {
      thick = true;
    } else if (Peek() == '[' && Peek(1) == '|') {
      thick = true;
    } else {
      break;
    }
  }
  // In "|]:|" the colon belongs to what follows.
  const size_t after =
      std::min(line_.find_first_not_of(':', pos_), line_.size());
  const bool closed = lines > 0 && line_[pos_ - 1] == ']' &&
                      after < line_.size() && line_[after] == '|';
  for (; lines > 0 && !closed && Peek() == ':'; ++pos_) ++colons_after;
  if (lines > 0 || colons_before >= 2) {
    // "[1" right after it or, as some books have it, after a space.
    size_t ahead = 0;
    while (Peek(ahead) == ' ') ++ahead;
    if (Peek(ahead) == '[' && absl::ascii_isdigit(Peek(ahead + 1))) ++ahead;
    if (absl::ascii_isdigit(Peek(ahead))) {
      pos_ += ahead;
      token->endings = TakeEndings();
    }
  } else if (Peek() == '[' && absl::ascii_isdigit(Peek(1))) {
    ++pos_;
    token->endings = TakeEndings();
  }
  if (pos_ == start) return false;

  token->kind = AbcToken::Kind::kBar;
  token->clears = lines > 0 || colons_before >= 2;
  // "[|]" is a bar line that is not drawn.
  token->heavy =
      lines > 1 || (thick && line_.substr(start, pos_ - start) != "[|]");
  if (lines == 0 && colons_before >= 2) {  // "::"
    token->repeat_end = token->repeat_start = colons_before / 2 + 1;
  } else if (lines > 0) {
    token->repeat_end = colons_before > 0 ? colons_before + 1 : 0;
    token->repeat_start = colons_after > 0 ? colons_after + 1 : 0;
  }
  token->repeat_end = std::min(token->repeat_end, kMaxAbcPasses);
  token->repeat_start = std::min(token->repeat_start, kMaxAbcPasses);
  return true;
}

// "(3", "(3:2", "(3:2:4", "(3::2".
void AbcLexer::TakeTuplet(AbcToken* token) {
  token->kind = AbcToken::Kind::kTuplet;
  ++pos_;
  token->tuplet_notes = TakeNumber().value_or(0);
  if (Peek() != ':') return;
  ++pos_;
  token->tuplet_time = TakeNumber();
  if (Peek() != ':') return;
  ++pos_;
  token->tuplet_count = TakeNumber();
}

// "!trill!", "!D.C. al fine!", "!+!". An exclamation mark without a second one
// before the next bar line was a line break in old books.
bool AbcLexer::TakeDecoration(char mark, AbcToken* token) {
  const size_t start = pos_ + 1;
  size_t end = start;
  while (end < line_.size() && line_[end] != mark && line_[end] != '|' &&
         line_.substr(end, 2) != "::") {
    // Between plus signs there are single words alone.
    if (mark == '+' && Contains(" []!", line_[end])) return false;
    ++end;
  }
  if (end >= line_.size() || line_[end] != mark) return false;
  token->kind = AbcToken::Kind::kDecoration;
  token->text = absl::StripAsciiWhitespace(line_.substr(start, end - start));
  PassQuotes(end + 1);
  return true;
}

// Text between quotes, in which a backslash makes a mark part of the text. A
// mark without its partner would swap text and music in all that follows, so
// its text ends with the bar.
void AbcLexer::TakeText(AbcToken* token) {
  token->kind = AbcToken::Kind::kText;
  quotes_ -= IsQuote(pos_) ? 1 : 0;
  const size_t start = pos_ + 1;
  // If an odd number of marks is left, one that would reach over a bar line is
  // the odd one.
  const bool within_bar = quotes_ % 2 == 0;
  size_t end = start;
  while (end < line_.size() && !IsQuote(end) &&
         !(within_bar && line_[end] == '|')) {
    ++end;
  }
  const bool closed = end < line_.size() && line_[end] == '"';
  if (!closed) {
    token->slip = "a quotation mark without its partner, its bar left out";
  }
  token->text = line_.substr(start, end - start);
  pos_ = end;
  if (closed) PassQuotes(end + 1);
}

// "{/cde}". One that is open at the bar line ends at the next space.
void AbcLexer::TakeGrace(AbcToken* token) {
  token->kind = AbcToken::Kind::kGrace;
  const size_t start = pos_ + 1;
  size_t end = FindAnyOrEnd(line_, "}{|", start);
  const bool closed = end < line_.size() && line_[end] == '}';
  if (!closed) {
    token->slip = "a brace without its end, grace notes up to the next space";
    end = FindAnyOrEnd(line_, " {|", start);
  }
  for (const char c : line_.substr(start, end - start)) {
    token->grace_notes += IsNoteLetter(c) ? 1 : 0;
  }
  PassQuotes(closed ? end + 1 : end);
}

std::optional<AbcToken> AbcLexer::Next() {
  while (pos_ < line_.size()) {
    AbcToken token;
    token.column = pos_;
    const char c = Peek();
    if (const auto pitch = TakePitch()) {
      token.kind = AbcToken::Kind::kNote;
      token.pitches.push_back(*pitch);
      token.length = TakeLength();
      token.tie = TakeTie();
      return token;
    }
    if (c == 'z' || c == 'x' || c == 'Z' || c == 'X') {
      ++pos_;
      token.kind = absl::ascii_islower(c) ? AbcToken::Kind::kRest
                                          : AbcToken::Kind::kBarRest;
      token.length = TakeLength();
      return token;
    }
    if (c == 'y') {  // a spacer, which may have a width
      ++pos_;
      TakeLength();
      continue;
    }
    if (c == '[' && TakeBracketField(&token)) return token;
    if ((c == '|' || c == ':' || c == '[') && TakeBar(&token)) {
      return token;
    }
    if (c == '[' && TakeChord(']', &token)) return token;
    if (c == '+' && TakeChord('+', &token)) return token;
    if ((c == '!' || c == '+') && TakeDecoration(c, &token)) return token;
    if (c == '<' || c == '>') {
      token.kind = AbcToken::Kind::kBroken;
      for (; Peek() == c; ++pos_) token.broken += c == '>' ? 1 : -1;
      return token;
    }
    if (c == '(' && absl::ascii_isdigit(Peek(1))) {
      TakeTuplet(&token);
      return token;
    }
    if (c == '"') {
      TakeText(&token);
      return token;
    }
    if (c == '{') {
      TakeGrace(&token);
      return token;
    }
    ++pos_;
    if (c == '-' || c == '&') {
      token.kind = c == '-' ? AbcToken::Kind::kTie : AbcToken::Kind::kOverlay;
      return token;
    }
  }
  return std::nullopt;
}

}  // namespace continuo
