// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_magenta_fields.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "data/notes/abc/abc_text.h"

namespace continuo {
namespace {

using KeySignature = tensorflow::magenta::NoteSequence::KeySignature;

// Takes at most nine digits off the front.
std::optional<int64_t> TakeDigits(absl::string_view* text) {
  size_t digits = 0;
  while (digits < text->size() && absl::ascii_isdigit((*text)[digits])) {
    ++digits;
  }
  int64_t value = 0;
  if (digits == 0 || digits > 9 ||
      !absl::SimpleAtoi(text->substr(0, digits), &value)) {
    return std::nullopt;
  }
  text->remove_prefix(digits);
  return value;
}

bool IsLetter(char c) {
  const char upper = absl::ascii_toupper(c);
  return upper >= 'A' && upper <= 'G';
}

// Applies what follows the mode. False for double accidentals.
bool ApplyMagentaAccidentals(absl::string_view text, AbcKey* key) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char mark = text[i];
    if (mark != '_' && mark != '=' && mark != '^') continue;
    const absl::string_view rest = text.substr(i + 1);
    if (rest.size() >= 2 && rest[0] == mark && mark != '=' &&
        IsLetter(rest[1])) {
      return false;
    }
    if (rest.empty() || !IsLetter(rest[0])) continue;
    key->accidentals[absl::ascii_toupper(rest[0]) - 'A'] =
        mark == '^' ? 1 : (mark == '_' ? -1 : 0);
    ++i;
  }
  return true;
}

// "1/4 3/8 = 40" at the front; what follows does not matter.
std::optional<MagentaTempo> BeatTempo(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "\"")) {
    const size_t end = text.find('"');
    if (end == absl::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  SkipAbcSpace(&text);
  MagentaTempo tempo;
  while (!text.empty() && absl::ascii_isdigit(text[0])) {
    const auto num = TakeDigits(&text);
    if (!num || !absl::ConsumePrefix(&text, "/")) return std::nullopt;
    const auto den = TakeDigits(&text);
    if (!den) return std::nullopt;
    tempo.unit = tempo.unit + MakeRational(*num, *den);
    tempo.has_unit = true;
    // Beats run together ("1/43/8") are an error of Magenta.
    if (!text.empty() && text[0] != '=' && !absl::ascii_isspace(text[0])) {
      return std::nullopt;
    }
    SkipAbcSpace(&text);
  }
  if (!tempo.has_unit || !tempo.unit.valid()) return std::nullopt;
  if (!absl::ConsumePrefix(&text, "=")) return std::nullopt;
  SkipAbcSpace(&text);
  const auto rate = TakeDigits(&text);
  if (!rate) return std::nullopt;
  tempo.rate = *rate;
  return tempo;
}

}  // namespace

std::optional<int64_t> ParseMagentaInteger(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const bool negative = absl::ConsumePrefix(&text, "-");
  if (!negative) absl::ConsumePrefix(&text, "+");
  const auto value = TakeDigits(&text);
  if (!value || !text.empty()) return std::nullopt;
  return negative ? -*value : *value;
}

std::optional<AbcKey> ParseMagentaKey(absl::string_view text) {
  if (text.empty() || !IsLetter(text[0])) return std::nullopt;
  const char letter = absl::ascii_toupper(text[0]);
  text.remove_prefix(1);
  SkipAbcSpace(&text);
  int alteration = 0;
  if (!text.empty() && text[0] == '#') alteration = 1;
  if (!text.empty() && absl::ascii_toupper(text[0]) == 'B') alteration = -1;
  if (alteration != 0) text.remove_prefix(1);
  SkipAbcSpace(&text);

  AbcKey key;
  if (!text.empty() && absl::ascii_toupper(text[0]) == 'M') {
    // Any word in "m" counts as a mode and must be a known one.
    const absl::string_view word = text.substr(0, text.find(' '));
    const auto mode = ParseAbcMode(word);
    if (!mode) return std::nullopt;
    key.mode = *mode;
    text.remove_prefix(word.size());
  } else if (const auto mode = ParseAbcMode(text.substr(0, 3));
             mode && text.size() >= 3) {
    key.mode = *mode;
    text.remove_prefix(text.substr(0, text.find(' ')).size());
  }
  const int sharps = AbcSignature(letter, alteration, key.mode);
  if (sharps < -7 || sharps > 7) return std::nullopt;
  // Magenta has no signature for these tonics.
  if ((alteration > 0 && (letter == 'E' || letter == 'B')) ||
      (alteration < 0 && (letter == 'C' || letter == 'F'))) {
    return std::nullopt;
  }
  key.has_signature = true;
  key.key = static_cast<KeySignature::Key>(
      (kAbcLetterPitch[letter - 'A'] + alteration + 12) % 12);

  const size_t explicit_only = text.find("exp");
  if (explicit_only != absl::string_view::npos) {
    text.remove_prefix(explicit_only + 3);
  } else {
    key.accidentals = AbcSignatureAccidentals(sharps);
  }
  if (!ApplyMagentaAccidentals(text, &key)) return std::nullopt;
  return key;
}

std::optional<AbcMeter> ParseMagentaMeter(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "C")) return AbcMeter{4, 4};
  if (absl::EqualsIgnoreCase(text, "C|")) return AbcMeter{2, 2};
  if (absl::EqualsIgnoreCase(text, "none")) return AbcMeter{};
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos) return std::nullopt;
  const auto numerator = ParseMagentaInteger(text.substr(0, slash));
  const auto denominator = ParseMagentaInteger(text.substr(slash + 1));
  if (!numerator || !denominator || *numerator == 0 || *denominator == 0) {
    return std::nullopt;
  }
  return AbcMeter{static_cast<int>(*numerator), static_cast<int>(*denominator)};
}

std::optional<AbcRational> ParseMagentaUnit(absl::string_view text) {
  const size_t slash = text.find('/');
  const auto num = ParseMagentaInteger(text.substr(0, slash));
  const auto den = slash == absl::string_view::npos
                       ? std::optional<int64_t>(1)
                       : ParseMagentaInteger(text.substr(slash + 1));
  if (!num || !den || *den == 0) return std::nullopt;
  return MakeRational(*num, *den);
}

std::optional<MagentaTempo> ParseMagentaTempo(absl::string_view text) {
  if (const auto tempo = BeatTempo(text)) return tempo;
  absl::string_view rest = text;
  absl::ConsumePrefix(&rest, "C");
  SkipAbcSpace(&rest);
  absl::ConsumePrefix(&rest, "=");
  SkipAbcSpace(&rest);
  MagentaTempo tempo;
  if (const auto rate = TakeDigits(&rest); rate && rest.empty()) {
    tempo.rate = *rate;
    return tempo;
  }
  if (text.size() >= 2 && text.front() == '"' &&
      text.find('"', 1) == text.size() - 1) {
    tempo.ignored = true;
    return tempo;
  }
  return std::nullopt;
}

}  // namespace continuo
