// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_shift.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "data/notes/abc/abc_fields.h"

namespace continuo {
namespace {

// Beyond it every note leaves MIDI's range.
constexpr int kMaxSemitones = 128;
constexpr int kMaxOctaves = 11;

// An integer with or without a sign at the front of `text`.
std::optional<int> TakeInteger(absl::string_view* text, int limit) {
  const bool negative = absl::ConsumePrefix(text, "-");
  if (!negative) absl::ConsumePrefix(text, "+");
  size_t digits = 0;
  while (digits < text->size() && absl::ascii_isdigit((*text)[digits])) {
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  int value = limit;
  if (!absl::SimpleAtoi(text->substr(0, digits), &value)) value = limit;
  text->remove_prefix(digits);
  value = std::min(value, limit);
  return negative ? -value : value;
}

// A note such as "_B" or "c'" as semitones above C.
std::optional<int> TakeNote(absl::string_view* text) {
  int note = 0;
  for (; !text->empty(); text->remove_prefix(1)) {
    const char mark = text->front();
    if (mark == '^' || mark == '#') {
      ++note;
    } else if (mark == '_') {
      --note;
    } else if (mark != '=') {
      break;
    }
  }
  if (text->empty()) return std::nullopt;
  const char upper = absl::ascii_toupper(text->front());
  if (upper < 'A' || upper > 'G') return std::nullopt;
  note += kAbcLetterPitch[upper - 'A'];
  if (absl::ascii_islower(text->front())) note += 12;
  text->remove_prefix(1);
  for (; !text->empty(); text->remove_prefix(1)) {
    if (text->front() == '\'') {
      note += 12;
    } else if (text->front() == ',') {
      note -= 12;
    } else {
      break;
    }
  }
  return std::clamp(note, -kMaxSemitones, kMaxSemitones);
}

// The octaves of a clef: "treble-8" is -1, "bass" 0; nothing if it is none.
std::optional<int> ClefOctaves(absl::string_view word, bool is_value) {
  static constexpr absl::string_view kClefs[] = {
      "treble", "alto",         "tenor", "baritone",
      "bass",   "mezzosoprano", "mezzo", "soprano"};
  bool found = false;
  for (const absl::string_view clef : kClefs) {
    if (absl::StartsWithIgnoreCase(word, clef)) {
      word.remove_prefix(clef.size());
      found = true;
      break;
    }
  }
  // "clef=G2"; without "clef=" that would be a key or a voice.
  if (!found && is_value) {
    for (const absl::string_view clef : {"none", "perc", "auto"}) {
      found = found || absl::ConsumePrefix(&word, clef);
    }
    if (!found && !word.empty() && absl::StrContains("GCFP", word.front())) {
      word.remove_prefix(1);
      found = true;
    }
  }
  if (!found) return std::nullopt;
  while (!word.empty() && absl::ascii_isdigit(word.front())) {
    word.remove_prefix(1);  // the line of the staff
  }
  if (word == "+8") return 1;
  if (word == "-8") return -1;
  if (word == "+15") return 2;
  if (word == "-15") return -2;
  return 0;
}

// "sound=cB": the step from the first note to the second. "instrument=c/_B":
// from c to the last.
std::optional<int> Interval(absl::string_view value, bool is_instrument) {
  const auto first = TakeNote(&value);
  absl::ConsumePrefix(&value, "/");
  const auto second = TakeNote(&value);
  if (is_instrument) {
    if (!first) return std::nullopt;
    return second.value_or(*first) - 12;
  }
  if (!first || !second) return std::nullopt;
  return *second - *first;
}

struct Setting {
  absl::string_view name;
  absl::string_view value;  // empty without "="
};

// Takes the next word, "name", "name=value" or "name = value", off the front.
Setting TakeSetting(absl::string_view* text) {
  Setting setting;
  const size_t end = std::min(text->find_first_of(" \t=\""), text->size());
  setting.name = text->substr(0, end);
  text->remove_prefix(end);
  const absl::string_view behind = absl::StripLeadingAsciiWhitespace(*text);
  if (!behind.empty() && behind.front() == '=') {
    *text = absl::StripLeadingAsciiWhitespace(behind.substr(1));
    if (absl::ConsumePrefix(text, "\"")) {
      const size_t quote = std::min(text->find('"'), text->size());
      setting.value = text->substr(0, quote);
      text->remove_prefix(std::min(quote + 1, text->size()));
    } else {
      const size_t space = std::min(text->find_first_of(" \t"), text->size());
      setting.value = text->substr(0, space);
      text->remove_prefix(space);
    }
  } else if (absl::ConsumePrefix(text, "\"")) {  // words in quotes
    text->remove_prefix(std::min(text->find('"'), text->size() - 1) + 1);
  }
  *text = absl::StripLeadingAsciiWhitespace(*text);
  return setting;
}

}  // namespace

void AbcShift::Update(const AbcShift& later) {
  if (later.octaves) octaves = later.octaves;
  if (later.clef_octaves) clef_octaves = later.clef_octaves;
  if (later.semitones) semitones = later.semitones;
}

int AbcSoundShift(const AbcShift& tune, const AbcShift& voice) {
  int octaves = voice.clef_octaves.value_or(tune.clef_octaves.value_or(0));
  if (tune.octaves) octaves = *tune.octaves;
  if (voice.octaves) octaves = *voice.octaves;
  return 12 * octaves + tune.semitones.value_or(0) +
         voice.semitones.value_or(0);
}

AbcShift ParseAbcShift(absl::string_view text) {
  AbcShift shift;
  text = absl::StripAsciiWhitespace(text);
  while (!text.empty()) {
    Setting setting = TakeSetting(&text);
    const std::string name = absl::AsciiStrToLower(setting.name);
    if (name == "octave") {
      const auto octaves = TakeInteger(&setting.value, kMaxOctaves);
      if (octaves) shift.octaves = octaves;
    } else if (name == "transpose") {
      const auto semitones = TakeInteger(&setting.value, kMaxSemitones);
      if (semitones) shift.semitones = semitones;
    } else if (name == "sound" || name == "shift" || name == "instrument") {
      const auto interval = Interval(setting.value, name == "instrument");
      if (interval) shift.semitones = interval;
    } else if (name == "clef") {
      const auto clef = ClefOctaves(setting.value, /*is_value=*/true);
      if (clef) shift.clef_octaves = clef;
    } else if (setting.value.empty()) {
      const auto clef = ClefOctaves(setting.name, /*is_value=*/false);
      if (clef) shift.clef_octaves = clef;
    }
  }
  return shift;
}

void ApplyAbcMidiDirective(absl::string_view text, AbcShift* tune) {
  text = absl::StripAsciiWhitespace(text);
  Setting setting = TakeSetting(&text);
  if (setting.value.empty()) setting.value = text;
  const auto number = TakeInteger(&setting.value, kMaxSemitones);
  if (!number) return;
  if (setting.name == "transpose") {
    tune->semitones = *number;
  } else if (setting.name == "rtranspose") {
    tune->semitones = std::clamp(tune->semitones.value_or(0) + *number,
                                 -kMaxSemitones, kMaxSemitones);
  }
}

}  // namespace continuo
