// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_chord_symbol.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_notation.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr absl::string_view kNoChord = "N.C.";

// The kinds of the MusicXML standard, then those that programs write instead.
struct ChordKind {
  absl::string_view name;
  absl::string_view figure;
};
constexpr ChordKind kChordKinds[] = {
    {"major", ""},
    {"minor", "m"},
    {"augmented", "aug"},
    {"diminished", "dim"},
    {"dominant", "7"},
    {"major-seventh", "maj7"},
    {"minor-seventh", "m7"},
    {"diminished-seventh", "dim7"},
    {"augmented-seventh", "aug7"},
    {"half-diminished", "m7b5"},
    {"major-minor", "m(maj7)"},
    {"major-sixth", "6"},
    {"minor-sixth", "m6"},
    {"dominant-ninth", "9"},
    {"major-ninth", "maj9"},
    {"minor-ninth", "m9"},
    {"dominant-11th", "11"},
    {"major-11th", "maj11"},
    {"minor-11th", "m11"},
    {"dominant-13th", "13"},
    {"major-13th", "maj13"},
    {"minor-13th", "m13"},
    {"suspended-second", "sus2"},
    {"suspended-fourth", "sus"},
    {"pedal", "ped"},
    {"power", "5"},
    {"none", kNoChord},
    {"dominant-seventh", "7"},
    {"augmented-ninth", "aug9"},
    {"minor-major", "m(maj7)"},
    {"", ""},
    {"min", "m"},
    {"aug", "aug"},
    {"dim", "dim"},
    {"7", "7"},
    {"maj7", "maj7"},
    {"min7", "m7"},
    {"dim7", "dim7"},
    {"m7b5", "m7b5"},
    {"minMaj7", "m(maj7)"},
    {"6", "6"},
    {"min6", "m6"},
    {"maj69", "6(add9)"},
    {"9", "9"},
    {"maj9", "maj9"},
    {"min9", "m9"},
    {"sus47", "sus7"},
};

std::string KindFigure(pugi::xml_node node, ScoreRepair* repair) {
  const std::string text = XmlText(node);
  const absl::string_view name = absl::StripAsciiWhitespace(text);
  for (const ChordKind& kind : kChordKinds) {
    if (kind.name == name) return std::string(kind.figure);
  }
  repair->Add("a chord symbol of unknown kind");
  return std::string(name);
}

// "bb" to "##" for -2 to 2.
std::string Accidentals(int alter) {
  return std::string(alter < 0 ? -alter : alter, alter < 0 ? 'b' : '#');
}

// An optional alteration in semitones.
absl::StatusOr<int> ReadAlter(pugi::xml_node node, const char* name,
                              ScoreRepair* repair) {
  if (!node) return 0;
  CONTINUO_ASSIGN_OR_RETURN(const int alter, XmlInteger(node, name, repair));
  if (alter < -2 || alter > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("a chord symbol beyond a double sharp or flat: <", name,
                     "> is ", alter));
  }
  return alter;
}

// The name of a note moved by `semitones`, spelled along the circle of fifths:
// C moved by -2 is Bb, by 1 is Db.
std::string Transpose(char step, int alter, int semitones) {
  constexpr absl::string_view kFifths = "FCGDAEB";
  int fifths = static_cast<int>(kFifths.find(step)) - 1 + 7 * alter;  // C is 0
  int shift = (semitones % 12 * 7 % 12 + 12) % 12;
  if (shift > 6) shift -= 12;
  fifths += shift;
  // Between Fbb and Bx there is a spelling with at most two accidentals.
  if (fifths < -15) fifths += 12;
  if (fifths > 19) fifths -= 12;
  const int place =
      fifths + 1 + 7 * 3;  // F, sharpened or flattened, is 0 mod 7
  return absl::StrCat(kFifths.substr(place % 7, 1), Accidentals(place / 7 - 3));
}

absl::StatusOr<std::string> ReadPitchName(pugi::xml_node node,
                                          const char* step_name,
                                          const char* alter_name, int transpose,
                                          ScoreRepair* repair) {
  const std::string step = XmlText(node.child(step_name));
  if (step.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no <", step_name, ">"));
  }
  CONTINUO_ASSIGN_OR_RETURN(
      const int alter, ReadAlter(node.child(alter_name), alter_name, repair));
  if (transpose == 0) return absl::StrCat(step, Accidentals(alter));
  const absl::string_view letter = absl::StripAsciiWhitespace(step);
  if (StepSemitones(letter) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("<", step_name, "> is no letter A to G: \"",
                     QuoteForMessage(step), "\", in a transposing part"));
  }
  repair->Add("a chord symbol in a transposing part");
  return Transpose(letter[0], alter, transpose);
}

// A degree that is added, left out or altered, such as "add9", "no3", "#5".
absl::StatusOr<std::string> ReadDegree(pugi::xml_node node,
                                       ScoreRepair* repair) {
  CONTINUO_ASSIGN_OR_RETURN(
      const int value,
      XmlInteger(node.child("degree-value"), "degree-value", repair));
  CONTINUO_ASSIGN_OR_RETURN(
      const int alter,
      ReadAlter(node.child("degree-alter"), "degree-alter", repair));
  const std::string type = XmlText(node.child("degree-type"));
  if (type == "subtract") return absl::StrCat("no", value);
  if (type == "add") {
    return absl::StrCat(alter == 0 ? "add" : "", Accidentals(alter), value);
  }
  if (type == "alter" && alter != 0) {
    return absl::StrCat(Accidentals(alter), value);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "an unknown <degree-type>: \"", QuoteForMessage(type),
      "\" with alteration ", alter, "; known are add, subtract and alter"));
}

}  // namespace

absl::StatusOr<ChordSymbol> ReadChordSymbol(pugi::xml_node harmony,
                                            int transpose,
                                            ScoreRepair* repair) {
  ChordSymbol symbol;
  std::string root;
  std::string kind;
  std::string degrees;
  std::string bass;
  for (const pugi::xml_node child : harmony.children()) {
    const absl::string_view name = child.name();
    if (name == "root") {
      CONTINUO_ASSIGN_OR_RETURN(
          root,
          ReadPitchName(child, "root-step", "root-alter", transpose, repair));
    } else if (name == "function") {
      root = std::string(absl::StripAsciiWhitespace(XmlText(child)));
      repair->Add("a chord symbol without root");
    } else if (name == "kind") {
      // An empty <kind> says nothing, not even "major" again.
      if (child.first_child()) kind = KindFigure(child, repair);
    } else if (name == "degree") {
      CONTINUO_ASSIGN_OR_RETURN(const std::string degree,
                                ReadDegree(child, repair));
      absl::StrAppend(&degrees, "(", degree, ")");
    } else if (name == "bass") {
      CONTINUO_ASSIGN_OR_RETURN(
          bass,
          ReadPitchName(child, "bass-step", "bass-alter", transpose, repair));
    } else if (name == "offset") {
      CONTINUO_ASSIGN_OR_RETURN(const int64_t offset,
                                XmlMillionths(child, "offset", repair));
      symbol.offset = offset;
    }
  }
  if (kind == kNoChord) {
    symbol.text = kind;
  } else {
    if (root.empty()) repair->Add("a chord symbol without root");
    symbol.text = absl::StrCat(root, kind, degrees);
    if (!bass.empty()) absl::StrAppend(&symbol.text, "/", bass);
  }
  return symbol;
}

}  // namespace continuo
