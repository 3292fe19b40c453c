// SPDX-License-Identifier: Apache-2.0

// Chord symbols of MusicXML scores as text annotations.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MagentaRejection;
using ::continuo::testing::MusicXmlWarnings;
using ::continuo::testing::MustReadAsMagenta;
using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlDivisions;
using ::continuo::testing::XmlScoreOf;
using ::tensorflow::magenta::NoteSequence;

std::string Harmony(absl::string_view content) {
  return absl::StrCat("<harmony>", content, "</harmony>");
}

std::string Root(absl::string_view step, absl::string_view alter = "") {
  return absl::StrCat(
      "<root><root-step>", step, "</root-step>",
      alter.empty() ? "" : absl::StrCat("<root-alter>", alter, "</root-alter>"),
      "</root>");
}

std::string Kind(absl::string_view kind) {
  return absl::StrCat("<kind>", kind, "</kind>");
}

std::string Degree(int value, int alter, absl::string_view type) {
  return absl::StrCat(
      "<degree><degree-value>", value, "</degree-value><degree-alter>", alter,
      "</degree-alter><degree-type>", type, "</degree-type></degree>");
}

std::string Transposed(int semitones) {
  return absl::StrCat("<attributes><transpose><chromatic>", semitones,
                      "</chromatic></transpose></attributes>");
}

// The text of the only chord symbol, "" for none.
std::string Figure(absl::string_view content, absl::string_view before = "") {
  const auto sequence = MustReadMusicXml(
      XmlScoreOf(absl::StrCat(before, Harmony(content), XmlC4(1))));
  EXPECT_LE(sequence.text_annotations_size(), 1);
  if (sequence.text_annotations().empty()) return "";
  EXPECT_EQ(sequence.text_annotations(0).annotation_type(),
            NoteSequence::TextAnnotation::CHORD_SYMBOL);
  return sequence.text_annotations(0).text();
}

TEST(MusicXmlChordSymbolTest, KindsHaveAbbreviations) {
  const std::vector<std::pair<std::string, std::string>> figures = {
      {"major", "C"},
      {"minor", "Cm"},
      {" minor ", "Cm"},
      {"dominant", "C7"},
      {"half-diminished", "Cm7b5"},
      {"major-minor", "Cm(maj7)"},
      {"suspended-fourth", "Csus"},
      {"pedal", "Cped"},
      {"power", "C5"},
      {"maj69", "C6(add9)"},
      {"sus47", "Csus7"},
      {"none", "N.C."},
      {"", "C"},
  };
  for (const auto& [kind, figure] : figures) {
    EXPECT_EQ(Figure(Root("C") + Kind(kind)), figure);
  }
  EXPECT_EQ(Figure(Root("C")), "C");
  EXPECT_EQ(Figure(Kind("none")), "N.C.");
}

TEST(MusicXmlChordSymbolTest, RootBassAndAlterations) {
  EXPECT_EQ(Figure(Root("F", "1") + Kind("diminished-seventh") +
                   "<bass><bass-step>A</bass-step></bass>"),
            "F#dim7/A");
  EXPECT_EQ(Figure(Root("B", "-2") +
                   "<bass><bass-step>E</bass-step><bass-alter>-1</bass-alter>"
                   "</bass>"),
            "Bbb/Eb");
  EXPECT_EQ(Figure(Root("G", "1.0")), "G#");
}

TEST(MusicXmlChordSymbolTest, DegreesFollowInOrder) {
  EXPECT_EQ(Figure(Root("A") + Kind("dominant") + Degree(9, 0, "add") +
                   Degree(3, 0, "subtract")),
            "A7(add9)(no3)");
  EXPECT_EQ(Figure(Root("E") + Degree(9, 1, "add") + Degree(5, -1, "alter") +
                   Degree(3, -1, "subtract")),
            "E(#9)(b5)(no3)");
}

TEST(MusicXmlChordSymbolTest, OffsetsMoveInTime) {
  const auto score = [](absl::string_view offset) {
    return XmlScoreOf(absl::StrCat(
        XmlDivisions(2), XmlC4(2),
        Harmony(absl::StrCat(Root("C"), "<offset>", offset, "</offset>")),
        XmlC4(2)));
  };
  const auto time = [&](absl::string_view offset) {
    return MustReadMusicXml(score(offset)).text_annotations(0).time();
  };
  EXPECT_EQ(time("1"), 0.75);
  EXPECT_EQ(time("0.5"), 0.625);
  // Within the measure.
  EXPECT_EQ(time("3"), 1);
  EXPECT_EQ(time("-3"), 0);
  const auto magenta_time = [&](absl::string_view offset) {
    return MustReadAsMagenta(score(offset)).text_annotations(0).time();
  };
  EXPECT_EQ(magenta_time("3"), 1.25);
  EXPECT_EQ(magenta_time("-3"), -0.25);
}

TEST(MusicXmlChordSymbolTest, PartsThatRepeatSymbolsSayThemOnce) {
  const std::string twice = Harmony(Root("C")) + Harmony(Root("C"));
  EXPECT_EQ(MustReadAsMagenta(XmlScoreOf(twice)).text_annotations_size(), 2);
  EXPECT_EQ(MustReadMusicXml(XmlScoreOf(twice)).text_annotations_size(), 1);
}

TEST(MusicXmlChordSymbolTest, TransposingPartsSoundElsewhere) {
  EXPECT_EQ(Figure(Root("C") + Kind("minor"), Transposed(-2)), "Bbm");
  EXPECT_EQ(Figure(Root("A"), Transposed(3)), "C");
  EXPECT_EQ(Figure(Root("C"), Transposed(1)), "Db");
  EXPECT_EQ(Figure(Root("F", "1"), Transposed(6)), "B#");
  EXPECT_EQ(Figure(Root("C") + "<bass><bass-step>B</bass-step></bass>",
                   Transposed(-14)),
            "Bb/A");
  EXPECT_EQ(Figure(Kind("none"), Transposed(2)), "N.C.");
  // Spelled within a double sharp.
  EXPECT_EQ(Figure(Root("B", "2"), Transposed(2)), "D#");
  EXPECT_EQ(Figure(Root("F", "-2"), Transposed(1)), "Fb");
}

TEST(MusicXmlChordSymbolTest, UnknownKindsAreWrittenOut) {
  EXPECT_EQ(Figure(Root("C") + Kind("Neapolitan")), "CNeapolitan");
  EXPECT_EQ(Figure("<function>V</function>" + Kind("dominant")), "V7");
  EXPECT_EQ(Figure(Kind("major")), "");
}

TEST(MusicXmlChordSymbolTest, LeavesOutWhatHasNoMeaning) {
  const auto refused = [](absl::string_view content, absl::string_view reason,
                          absl::string_view before = "") {
    const std::string score =
        XmlScoreOf(absl::StrCat(before, Harmony(content), XmlC4(1)));
    EXPECT_TRUE(absl::StrContains(MagentaRejection(score), reason)) << score;
    EXPECT_TRUE(absl::StrContains(MusicXmlWarnings(score), "left out"))
        << score;
    EXPECT_EQ(MustReadMusicXml(score).notes_size(), 1);
  };
  refused(Root("C", "3"), "beyond a double sharp or flat: ");
  refused(Root("C", "0.5"), "is no whole number: ");
  refused("<root/>", "no <root-step>: part");
  refused(Root("C") + "<bass/>", "no <bass-step>: part");
  refused(Root("C") + Degree(5, 0, "alter"), "an unknown <degree-type>: ");
  refused(Root("C") + Degree(5, 1, "foo"), "an unknown <degree-type>: ");
  refused(Root("C") + "<degree/>", "no <degree-value>: part");
  refused(Root("C") + "<offset>999999999</offset>", "impossible length");
  refused(Root("C") + "<offset>x</offset>", "<offset> is no number: ");
  EXPECT_TRUE(absl::StrContains(
      MusicXmlWarnings(XmlScoreOf(Transposed(2) + Harmony(Root("H")))),
      "a chord symbol that cannot be understood, left out"));
}

TEST(MusicXmlChordSymbolTest, NoSymbolIsLongerThanSymbolsAre) {
  const std::string long_kind(1000, 'x');
  const std::string score =
      XmlScoreOf(absl::StrCat(Harmony(Root("C") + Kind(long_kind)), XmlC4(1)));
  EXPECT_EQ(MustReadMusicXml(score).text_annotations_size(), 0);
  EXPECT_TRUE(absl::StrContains(MusicXmlWarnings(score), "left out"));
}

}  // namespace
}  // namespace continuo
