// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_fields.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "data/notes/abc/abc_text.h"

namespace continuo {
namespace {

using KeySignature = tensorflow::magenta::NoteSequence::KeySignature;

// No real meter, length or beat count comes near it.
constexpr int kMaxNumber = 1024;

// Takes decimal digits off the front; nothing if there are none or the number
// is above `max`.
std::optional<int> TakeNumber(absl::string_view* text, int max) {
  size_t digits = 0;
  while (digits < text->size() && absl::ascii_isdigit((*text)[digits])) {
    ++digits;
  }
  int value = 0;
  if (digits == 0 || digits > 9 ||
      !absl::SimpleAtoi(text->substr(0, digits), &value) || value > max) {
    return std::nullopt;
  }
  text->remove_prefix(digits);
  return value;
}

// Takes "3/8" off the front.
std::optional<AbcRational> TakeFraction(absl::string_view* text) {
  absl::string_view rest = *text;
  const auto num = TakeNumber(&rest, kMaxNumber);
  if (!num || !absl::ConsumePrefix(&rest, "/")) return std::nullopt;
  const auto den = TakeNumber(&rest, kMaxNumber);
  if (!den || *num == 0 || *den == 0) return std::nullopt;
  *text = rest;
  return MakeRational(*num, *den);
}

// Takes "1/4 3/8" off the front and adds them up into `beat`, which starts at
// 0; false if the sum cannot be written down.
bool TakeBeats(absl::string_view* text, AbcRational* beat) {
  while (const auto fraction = TakeFraction(text)) {
    *beat = *beat + *fraction;
    if (!beat->valid()) return false;
    SkipAbcSpace(text);
  }
  return true;
}

// One word of a key field after the tonic: "^f", "_B", "=c", "^^c", "^f^c".
// True if it was one and has been applied; "clef=bass" is none.
bool ApplyAccidentals(absl::string_view word, AbcKey* key) {
  AbcKey changed = *key;
  if (word.empty()) return false;
  while (!word.empty()) {
    int change = 0;
    size_t marks = 0;
    for (; marks < word.size() && marks < 2; ++marks) {
      if (word[marks] == '^') {
        ++change;
      } else if (word[marks] == '_') {
        --change;
      } else if (word[marks] != '=') {
        break;
      }
    }
    if (marks == 0 || marks == word.size()) return false;
    const char letter = absl::ascii_toupper(word[marks]);
    if (letter < 'A' || letter > 'G') return false;
    changed.accidentals[letter - 'A'] = change;
    word.remove_prefix(marks + 1);
  }
  *key = changed;
  return true;
}

// Great Highland bagpipe: sharp F and C, natural G.
AbcKey BagpipeKey() {
  AbcKey key;
  key.accidentals = AbcSignatureAccidentals(2);
  key.has_signature = true;
  key.key = KeySignature::A;
  key.mode = KeySignature::MIXOLYDIAN;
  return key;
}

}  // namespace

int AbcSignature(char letter, int alteration, KeySignature::Mode mode) {
  // Places on the circle of fifths of A to G major.
  static constexpr int kFifths[7] = {3, 5, 0, 2, 4, -1, 1};
  int sharps = kFifths[letter - 'A'] + 7 * alteration;
  switch (mode) {
    case KeySignature::LYDIAN:
      return sharps + 1;
    case KeySignature::MIXOLYDIAN:
      return sharps - 1;
    case KeySignature::DORIAN:
      return sharps - 2;
    case KeySignature::MINOR:
      return sharps - 3;
    case KeySignature::PHRYGIAN:
      return sharps - 4;
    case KeySignature::LOCRIAN:
      return sharps - 5;
    default:
      return sharps;
  }
}

std::array<int, 7> AbcSignatureAccidentals(int sharps) {
  static constexpr char kSharps[] = "FCGDAEB";
  static constexpr char kFlats[] = "BEADGCF";
  std::array<int, 7> accidentals = {};
  for (int i = 0; i < sharps; ++i) accidentals[kSharps[i] - 'A'] = 1;
  for (int i = 0; i < -sharps; ++i) accidentals[kFlats[i] - 'A'] = -1;
  return accidentals;
}

std::optional<KeySignature::Mode> ParseAbcMode(absl::string_view word) {
  const std::string name = absl::AsciiStrToLower(word.substr(0, 3));
  if (name.empty() || name == "maj" || name == "ion") {
    return KeySignature::MAJOR;
  }
  if (name == "m" || name == "min" || name == "aeo") return KeySignature::MINOR;
  if (name == "mix") return KeySignature::MIXOLYDIAN;
  if (name == "dor") return KeySignature::DORIAN;
  if (name == "phr") return KeySignature::PHRYGIAN;
  if (name == "lyd") return KeySignature::LYDIAN;
  if (name == "loc") return KeySignature::LOCRIAN;
  return std::nullopt;
}

std::optional<AbcKey> ParseAbcKey(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  AbcKey key;
  if (absl::StartsWithIgnoreCase(text, "HP")) return BagpipeKey();
  if (absl::StartsWithIgnoreCase(text, "none")) {
    text.remove_prefix(4);
  } else if (!text.empty() && text[0] >= 'A' && text[0] <= 'G') {
    const char letter = text[0];
    text.remove_prefix(1);
    int alteration = 0;
    if (absl::ConsumePrefix(&text, "#")) alteration = 1;
    if (alteration == 0 && absl::ConsumePrefix(&text, "b")) alteration = -1;
    SkipAbcSpace(&text);
    const absl::string_view word =
        text.substr(0, text.find_first_of(" \t^_=,"));
    key.mode = KeySignature::MAJOR;
    if (const auto mode = ParseAbcMode(word); mode && !word.empty()) {
      key.mode = *mode;
      text.remove_prefix(word.size());
    }
    const int sharps = AbcSignature(letter, alteration, key.mode);
    if (sharps < -7 || sharps > 7) return std::nullopt;
    key.accidentals = AbcSignatureAccidentals(sharps);
    key.has_signature = true;
    key.key = static_cast<KeySignature::Key>(
        (kAbcLetterPitch[letter - 'A'] + alteration + 12) % 12);
  } else if (!text.empty()) {
    // "clef=bass", "bass", "^f": only what says accidentals is a key.
    bool any = false;
    for (const absl::string_view word :
         absl::StrSplit(text, ' ', absl::SkipEmpty())) {
      any |= ApplyAccidentals(word, &key);
    }
    if (any) return key;
    return std::nullopt;
  }
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \t,"), absl::SkipEmpty())) {
    if (absl::EqualsIgnoreCase(word, "exp")) key.accidentals = {};
    ApplyAccidentals(word, &key);
  }
  return key;
}

std::optional<AbcMeter> ParseAbcMeter(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty() || absl::StartsWithIgnoreCase(text, "none") ||
      absl::StartsWithIgnoreCase(text, "free")) {
    return AbcMeter{};
  }
  if (absl::ConsumePrefix(&text, "C|")) return AbcMeter{2, 2};
  if (absl::ascii_toupper(text[0]) == 'C') return AbcMeter{4, 4};
  absl::ConsumePrefix(&text, "(");
  int numerator = 0;
  do {
    SkipAbcSpace(&text);
    const auto beats = TakeNumber(&text, kMaxNumber);
    if (!beats) return std::nullopt;
    numerator += *beats;
    SkipAbcSpace(&text);
  } while (absl::ConsumePrefix(&text, "+") && numerator <= kMaxNumber);
  absl::ConsumePrefix(&text, ")");
  SkipAbcSpace(&text);
  if (!absl::ConsumePrefix(&text, "/")) return std::nullopt;
  SkipAbcSpace(&text);
  const auto denominator = TakeNumber(&text, kMaxNumber);
  if (!denominator || *denominator == 0 || numerator == 0 ||
      numerator > kMaxNumber) {
    return std::nullopt;
  }
  return AbcMeter{numerator, *denominator};
}

AbcRational DefaultAbcUnit(const AbcMeter& meter) {
  const bool is_short =
      !meter.is_free() && 4 * meter.numerator < 3 * meter.denominator;
  return {1, is_short ? 16 : 8};
}

std::optional<AbcRational> ParseAbcUnit(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (const auto fraction = TakeFraction(&text)) return fraction;
  const auto whole = TakeNumber(&text, kMaxNumber);
  if (!whole || *whole == 0) return std::nullopt;
  return AbcRational{*whole, 1};
}

double AbcTempo::Qpm(AbcRational length) const {
  return (relative ? beat * length : beat).ToDouble() * 4 * rate;
}

std::optional<AbcTempo> ParseAbcTempo(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (absl::ConsumePrefix(&text, "\"")) {
    const size_t end = text.find('"');
    if (end == absl::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
    SkipAbcSpace(&text);
  }
  AbcTempo tempo;
  if (!TakeBeats(&text, &tempo.beat)) return std::nullopt;
  if (tempo.beat.num == 0) {
    tempo.relative = true;
    tempo.beat = {1, 1};
    if (absl::ConsumePrefix(&text, "C")) {
      const auto units = TakeNumber(&text, kMaxNumber);
      if (units && *units > 0) tempo.beat = {*units, 1};
      SkipAbcSpace(&text);
    }
  }
  absl::ConsumePrefix(&text, "=");
  SkipAbcSpace(&text);
  size_t end = text.find_first_not_of("0123456789.");
  if (end == absl::string_view::npos) end = text.size();
  if (end == 0 || end > 12 ||
      !absl::SimpleAtod(text.substr(0, end), &tempo.rate) ||
      !(tempo.rate > 0)) {
    return std::nullopt;
  }
  text.remove_prefix(end);
  SkipAbcSpace(&text);
  // "90 = 1/4" is "1/4 = 90" turned round.
  if (tempo.relative && absl::ConsumePrefix(&text, "=")) {
    SkipAbcSpace(&text);
    AbcRational beat = {0, 1};
    if (!TakeBeats(&text, &beat)) return std::nullopt;
    if (beat.num != 0) {
      tempo.relative = false;
      tempo.beat = beat;
    }
  }
  return tempo;
}

}  // namespace continuo
