// SPDX-License-Identifier: Apache-2.0

// Tempos of MusicXML scores: marks, and the one tempo map of all parts.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MusicXmlWarnings;
using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::Notes;
using ::continuo::testing::Tempos;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlDivisions;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlScore;
using ::continuo::testing::XmlScoreOf;
using ::tensorflow::magenta::NoteSequence;

std::string Metronome(absl::string_view content, absl::string_view more = "") {
  return absl::StrCat("<direction><direction-type><metronome>", content,
                      "</metronome></direction-type>", more, "</direction>");
}

std::string Mark(absl::string_view unit, absl::string_view per_minute) {
  return Metronome(absl::StrCat("<beat-unit>", unit, "</beat-unit><per-minute>",
                                per_minute, "</per-minute>"));
}

std::string SoundElement(absl::string_view tempo) {
  return absl::StrCat("<sound tempo=\"", tempo, "\"/>");
}

std::string TemposOf(absl::string_view content) {
  return Tempos(MustReadMusicXml(
      XmlScoreOf(absl::StrCat(XmlDivisions(1), content, XmlC4(1)))));
}

TEST(MusicXmlTempoTest, WithoutAMark) { EXPECT_EQ(TemposOf(""), "120@0"); }

TEST(MusicXmlTempoTest, MetronomeMarksCountTheirNotes) {
  EXPECT_EQ(TemposOf(Mark("quarter", "96")), "96@0");
  EXPECT_EQ(TemposOf(Mark("half", "60")), "120@0");
  EXPECT_EQ(TemposOf(Mark("eighth", "90")), "45@0");
  EXPECT_EQ(TemposOf(Metronome("<beat-unit>quarter</beat-unit><beat-unit-dot/>"
                               "<per-minute>60</per-minute>")),
            "90@0");
  EXPECT_EQ(TemposOf(Mark("quarter", "c. 63.5")), "63.5@0");
  EXPECT_EQ(TemposOf(Mark("quarter", "132-138")), "132@0");
  EXPECT_EQ(TemposOf(Metronome(
                "<beat-unit>half</beat-unit><beat-unit-tied><beat-unit>quarter"
                "</beat-unit></beat-unit-tied><per-minute>20</per-minute>")),
            "60@0");
}

TEST(MusicXmlTempoTest, NoteValuesRelateTempos) {
  EXPECT_EQ(TemposOf(absl::StrCat(
                Mark("quarter", "60"), XmlC4(1),
                Metronome("<beat-unit>quarter</beat-unit><beat-unit>quarter"
                          "</beat-unit><beat-unit-dot/>"))),
            "60@0 90@1");
}

TEST(MusicXmlTempoTest, SoundsCountWhereverTheyStand) {
  EXPECT_EQ(TemposOf(SoundElement("60")), "60@0");
  EXPECT_EQ(TemposOf("<direction>" + SoundElement("60") + "</direction>"),
            "60@0");
  // Before marks on paper, and with an offset of their own.
  EXPECT_EQ(TemposOf(Metronome("<beat-unit>quarter</beat-unit>"
                               "<per-minute>90</per-minute>",
                               SoundElement("60"))),
            "60@0");
  EXPECT_EQ(
      TemposOf("<sound tempo=\"60\"><offset>2</offset></sound>" + XmlC4(2)),
      "120@0 60@1");
  EXPECT_EQ(TemposOf("<direction><offset sound=\"yes\">1</offset>" +
                     SoundElement("60") + "</direction>" + XmlC4(2)),
            "120@0 60@0.5");
  EXPECT_EQ(TemposOf("<direction><offset>1</offset>" + SoundElement("60") +
                     "</direction>" + XmlC4(2)),
            "60@0");
}

TEST(MusicXmlTempoTest, NonsenseCostsItselfAlone) {
  for (const char* value : {"0", "-60", "nan", "inf", "fast", "", "1e300"}) {
    EXPECT_EQ(TemposOf(SoundElement(value)), "120@0") << value;
    EXPECT_EQ(MusicXmlWarnings(
                  XmlScoreOf(XmlDivisions(1) + SoundElement(value) + XmlC4(1))),
              "1 x an impossible tempo, left out")
        << value;
  }
  for (const std::string& mark :
       {Mark("crotchet", "60"), Mark("quarter", "fast"), Mark("quarter", ""),
        Metronome(""), Metronome("<per-minute>60</per-minute>")}) {
    EXPECT_EQ(TemposOf(mark), "120@0") << mark;
    EXPECT_EQ(MusicXmlWarnings(XmlScoreOf(XmlDivisions(1) + mark + XmlC4(1))),
              "1 x a metronome mark without a tempo, left out")
        << mark;
  }
}

TEST(MusicXmlTempoTest, AllPartsFollowTheTemposOfAny) {
  // The second part slows down in its second measure; the third has none.
  const NoteSequence sequence = MustReadMusicXml(XmlScore(absl::StrCat(
      XmlPart("P1", XmlMeasure(XmlC4(2)) + XmlMeasure(XmlC4(2))),
      XmlPart("P2", XmlMeasure(SoundElement("60") + XmlC4(2)) +
                        XmlMeasure(XmlC4(1) + SoundElement("30") + XmlC4(1))),
      XmlPart("P3", XmlMeasure(XmlC4(2)) + XmlMeasure(XmlC4(2))))));
  EXPECT_EQ(Notes(sequence),
            "60@0-2 60@2-5 60@0-2 60@2-3 60@3-5 60@0-2 60@2-5");
  EXPECT_EQ(Tempos(sequence), "60@0 30@3");
}

// The tempo belongs to the place in the score, not to what was played last.
TEST(MusicXmlTempoTest, RepeatsGoBackToTheTempoOfTheirStart) {
  EXPECT_EQ(TemposOf(absl::StrCat(
                SoundElement("60"), XmlC4(1), SoundElement("120"), XmlC4(1),
                "<barline><repeat direction=\"backward\"/></barline>")),
            "60@0 120@1 60@2 120@3");
}

TEST(MusicXmlTempoTest, EqualTemposAreOne) {
  EXPECT_EQ(
      TemposOf(SoundElement("90") + XmlC4(1) + SoundElement("90") + XmlC4(1)),
      "90@0");
}

}  // namespace
}  // namespace continuo
