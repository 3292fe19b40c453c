// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_notation.h"

#include <limits>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

struct NoteType {
  absl::string_view name;
  int length;
};
constexpr NoteType kNoteTypes[] = {
    {"maxima", 8192}, {"long", 4096},   {"breve", 2048}, {"whole", 1024},
    {"half", 512},    {"quarter", 256}, {"eighth", 128}, {"16th", 64},
    {"32nd", 32},     {"64th", 16},     {"128th", 8},    {"256th", 4},
    {"512th", 2},     {"1024th", 1},
};
constexpr int kTypeUnit = 1024;
// With more, the denominator of any note value that can be read here is beyond
// an int: types and tuplets take away at most 3 and 29 of its factors of 2.
constexpr int kMaxDots = 64;

absl::Status ReadTuplet(pugi::xml_node node, ScoreRepair* repair,
                        NoteValue* value) {
  CONTINUO_ASSIGN_OR_RETURN(
      const int actual,
      XmlInteger(node.child("actual-notes"), "actual-notes", repair));
  CONTINUO_ASSIGN_OR_RETURN(
      const int normal,
      XmlInteger(node.child("normal-notes"), "normal-notes", repair));
  if (actual == 0 || normal == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "an impossible tuplet: ", actual, " notes in the time of ", normal));
  }
  value->tuplet_actual = actual;
  value->tuplet_normal = normal;
  return absl::OkStatus();
}

}  // namespace

int StepSemitones(absl::string_view step) {
  constexpr int kSemitones[] = {9, 11, 0, 2, 4, 5, 7};  // A to G
  if (step.size() != 1 || step[0] < 'A' || step[0] > 'G') return -1;
  return kSemitones[step[0] - 'A'];
}

std::optional<int> NoteTypeLength(absl::string_view type) {
  for (const NoteType& known : kNoteTypes) {
    if (known.name == type) return known.length;
  }
  return std::nullopt;
}

absl::Status ReadNoteValue(pugi::xml_node child, ScoreRepair* repair,
                           NoteValue* value) {
  const absl::string_view name = child.name();
  if (name == "type") {
    const std::string text = XmlText(child);
    const std::optional<int> length = NoteTypeLength(text);
    if (!length.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("<type> is no note value: \"", QuoteForMessage(text),
                       "\", expected one such as \"quarter\""));
    }
    value->type_length = *length;
  } else if (name == "dot") {
    if (++value->dots > kMaxDots) {
      return absl::InvalidArgumentError(
          absl::StrCat("too many dots: at most ", kMaxDots));
    }
  } else if (name == "time-modification") {
    return ReadTuplet(child, repair, value);
  }
  return absl::OkStatus();
}

std::optional<Fraction> NotatedLength(const NoteValue& value) {
  // At most 2^13 * 2^65 * 2^30.
  absl::int128 numerator = ((absl::int128(2) << value.dots) - 1) *
                           value.type_length * value.tuplet_normal;
  absl::int128 denominator =
      (absl::int128(kTypeUnit) << value.dots) * value.tuplet_actual;
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  absl::int128 a = numerator < 0 ? -numerator : numerator;
  absl::int128 b = denominator;
  while (b != 0) {
    const absl::int128 rest = a % b;
    a = b;
    b = rest;
  }
  numerator /= a;
  denominator /= a;
  constexpr int kMax = std::numeric_limits<int>::max();
  if (numerator > kMax || numerator < -kMax || denominator > kMax) {
    return std::nullopt;
  }
  return Fraction{static_cast<int>(numerator), static_cast<int>(denominator)};
}

}  // namespace continuo
