// SPDX-License-Identifier: Apache-2.0

// Notes of MusicXML scores as the format means them.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MusicXmlWarnings;
using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::Notes;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlDivisions;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlPitch;
using ::continuo::testing::XmlScore;
using ::continuo::testing::XmlScoreOf;
using ::tensorflow::magenta::NoteSequence;

std::string NotesOf(absl::string_view content) {
  return Notes(
      MustReadMusicXml(XmlScoreOf(absl::StrCat(XmlDivisions(1), content))));
}

std::string WarningsOf(absl::string_view content) {
  return MusicXmlWarnings(XmlScoreOf(absl::StrCat(XmlDivisions(1), content)));
}

std::string Transpose(absl::string_view content,
                      absl::string_view attributes = "") {
  return absl::StrCat("<attributes><transpose", attributes, ">", content,
                      "</transpose></attributes>");
}

TEST(MusicXmlScoreNoteTest, AlterationsMayLeaveTheOctave) {
  EXPECT_EQ(NotesOf(XmlPitch("C", "-1", 4) + XmlPitch("B", "1", 4)),
            "59@0-0.5 72@0.5-1");
}

TEST(MusicXmlScoreNoteTest, TranspositionSoundsInItsOctave) {
  EXPECT_EQ(NotesOf(Transpose("<chromatic>-2</chromatic>"
                              "<octave-change>-1</octave-change>") +
                    XmlC4(1)),
            "46@0-0.5");
  EXPECT_EQ(NotesOf(Transpose("<chromatic>0</chromatic><double/>") + XmlC4(1)),
            "60@0-0.5 48@0-0.5");
  EXPECT_EQ(NotesOf(Transpose("<chromatic>0</chromatic>"
                              "<double above=\"yes\"/>") +
                    XmlC4(1)),
            "60@0-0.5 72@0-0.5");
  // Of the second staff, until all are told otherwise.
  EXPECT_EQ(
      NotesOf(absl::StrCat(
          Transpose("<chromatic>3</chromatic>", " number=\"2\""), XmlC4(1),
          XmlC4(1, "<staff>2</staff>"), Transpose("<chromatic>1</chromatic>"),
          XmlC4(1, "<staff>2</staff>"))),
      "60@0-0.5 63@0.5-1 61@1-1.5");
  EXPECT_EQ(WarningsOf(Transpose("") + XmlC4(1)),
            "1 x an impossible <transpose>, left out");
}

// <pitch> is what sounds; these only move it on paper.
TEST(MusicXmlScoreNoteTest, ClefsAndOctaveShiftsDoNotSound) {
  EXPECT_EQ(NotesOf(absl::StrCat(
                "<attributes><clef><sign>G</sign><clef-octave-change>-1"
                "</clef-octave-change></clef></attributes><direction>"
                "<direction-type><octave-shift type=\"down\" size=\"8\"/>"
                "</direction-type></direction>",
                XmlC4(1))),
            "60@0-0.5");
}

TEST(MusicXmlScoreNoteTest, ChordNotesAreNoLongerThanTheFirst) {
  const auto e = [](int duration) {
    return absl::StrCat(
        "<note><chord/><pitch><step>E</step><octave>4</octave></pitch>"
        "<duration>",
        duration, "</duration></note>");
  };
  EXPECT_EQ(NotesOf(absl::StrCat(XmlC4(2), e(1), e(4), XmlC4(1))),
            "60@0-1 64@0-0.5 64@0-1 60@1-1.5");
  // Wherever the sign stands, and without a note before.
  EXPECT_EQ(NotesOf(XmlC4(1) + XmlC4(1, "<chord/>")), "60@0-0.5 60@0-0.5");
  EXPECT_EQ(NotesOf(e(1) + XmlC4(1)), "64@0-0.5 60@0.5-1");
}

TEST(MusicXmlScoreNoteTest, GraceAndCueNotesDoNotSound) {
  const std::string content = absl::StrCat(
      XmlC4(1),
      "<note><grace/><pitch><step>D</step><octave>4</octave></pitch></note>",
      XmlC4(1, "<cue/>"), XmlC4(1));
  EXPECT_EQ(NotesOf(content), "60@0-0.5 60@1-1.5");
  EXPECT_EQ(WarningsOf(content),
            "1 x a cue note, left out; 1 x a grace note, left out");
}

TEST(MusicXmlScoreNoteTest, PercussionThatCannotBePlacedCostsItselfAlone) {
  const std::string part_list =
      "<score-part id=\"P1\"><midi-instrument id=\"K\"><midi-program>1"
      "</midi-program><midi-unpitched>37</midi-unpitched></midi-instrument>"
      "<midi-instrument id=\"S\"><midi-unpitched>39</midi-unpitched>"
      "</midi-instrument></score-part><score-part id=\"P2\"/>";
  const auto hit = [](absl::string_view id) {
    return absl::StrCat("<note><unpitched/><duration>1</duration>",
                        id.empty() ? "" : "<instrument id=\"", id,
                        id.empty() ? "" : "\"/>", "</note>");
  };
  const std::string score = XmlScore(
      absl::StrCat(XmlPart("P1", XmlMeasure(absl::StrCat(hit("K"), hit("S"),
                                                         hit(""), hit("X")))),
                   XmlPart("P2", XmlMeasure(hit("") + XmlC4(1)))),
      part_list);
  const NoteSequence sequence = MustReadMusicXml(score);
  EXPECT_EQ(Notes(sequence), "36@0-0.5 38@0.5-1 60@0.5-1");
  EXPECT_TRUE(sequence.notes(0).is_drum());
  EXPECT_FALSE(sequence.notes(2).is_drum());
  ReadReport report;
  EXPECT_TRUE(ReadMusicXml(score, {}, &report).ok());
  EXPECT_EQ(report.warnings["an unpitched note whose instrument has no MIDI "
                            "sound (<midi-unpitched>), left out"],
            3);
  // A part with one sound needs no names.
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScore(
                XmlPart("P1", XmlMeasure(hit(""))),
                "<score-part id=\"P1\"><midi-instrument><midi-unpitched>37"
                "</midi-unpitched></midi-instrument></score-part>"))),
            "36@0-0.5");
}

TEST(MusicXmlScoreNoteTest, OneBadNoteCostsItselfAlone) {
  const auto reads = [](absl::string_view bad, absl::string_view notes,
                        absl::string_view warning) {
    const std::string content = absl::StrCat(XmlC4(1), bad, XmlC4(1));
    EXPECT_EQ(NotesOf(content), notes) << bad;
    EXPECT_EQ(WarningsOf(content), absl::StrCat("1 x ", warning)) << bad;
  };
  // It still takes its time.
  reads(XmlPitch("H", "0", 4), "60@0-0.5 60@1-1.5",
        "a note without a usable <pitch>, left out");
  reads("<note><duration>1</duration></note>", "60@0-0.5 60@1-1.5",
        "a note without a usable <pitch>, left out");
  reads(XmlPitch("C", "0", 12), "60@0-0.5 60@1-1.5",
        "a note outside MIDI's range, left out");
  reads(XmlPitch("C", "nan", 4), "60@0-0.5 60@1-1.5",
        "a note outside MIDI's range, left out");
  reads(XmlPitch("D", "-0.5", 4), "60@0-0.5 62@0.5-1 60@1-1.5",
        "a microtone, moved to the semitone towards the natural note");
  // The note value says what the duration does not.
  reads(XmlC4(-1, "<type>half</type>"), "60@0-0.5 60@0.5-1.5 60@1.5-2",
        "a note of impossible <duration>, read by its note value");
  reads(
      "<note><pitch><step>C</step><octave>4</octave></pitch>"
      "<type>half</type><dot/></note>",
      "60@0-0.5 60@0.5-2 60@2-2.5",
      "a note of impossible <duration>, read by its note value");
  reads(XmlC4(-1), "60@0-0.5 60@0.5-1",
        "a note of impossible <duration>, left out");
  reads(XmlC4(0), "60@0-0.5 60@0.5-1", "a note of no length, left out");
  reads(XmlC4(1000000000), "60@0-0.5 60@0.5-1",
        "an impossible <duration> or <offset>, left out");
}

TEST(MusicXmlScoreNoteTest, VelocityIsPerCentOfForte) {
  const std::string score = XmlScoreOf(absl::StrCat(
      XmlC4(1), "<sound dynamics=\"50\"/>", XmlC4(1),
      "<note dynamics=\"100\"><pitch><step>C</step><octave>4</octave></pitch>"
      "<duration>1</duration></note>",
      "<direction><sound dynamics=\"200\"/></direction>", XmlC4(1)));
  const NoteSequence sequence = MustReadMusicXml(score);
  EXPECT_EQ(sequence.notes(0).velocity(), 64);
  EXPECT_EQ(sequence.notes(1).velocity(), 45);
  EXPECT_EQ(sequence.notes(2).velocity(), 90);
  EXPECT_EQ(sequence.notes(3).velocity(), 127);
}

TEST(MusicXmlScoreNoteTest, LengthsAreFractionsOfTheirTime) {
  const NoteSequence sequence = MustReadMusicXml(XmlScoreOf(
      absl::StrCat(XmlDivisions(6), XmlC4(9), XmlC4(2), XmlC4(1),
                   "<note><pitch><step>C</step><octave>4</octave></pitch>"
                   "<duration>1.5</duration></note>")));
  const auto length = [&](int i) {
    return absl::StrCat(sequence.notes(i).numerator(), "/",
                        sequence.notes(i).denominator());
  };
  EXPECT_EQ(length(0), "3/8");
  EXPECT_EQ(length(1), "1/12");
  EXPECT_EQ(length(2), "1/24");
  EXPECT_EQ(length(3), "1/16");
}

TEST(MusicXmlScoreNoteTest, ProgramsCountFromZeroAndPartsAreInstruments) {
  const auto part = [](absl::string_view id, int program) {
    return absl::StrCat("<score-part id=\"", id,
                        "\"><midi-instrument><midi-program>", program,
                        "</midi-program></midi-instrument></score-part>");
  };
  const NoteSequence sequence = MustReadMusicXml(XmlScore(
      XmlPart("P1", XmlMeasure(XmlC4(1))) + XmlPart("P2", XmlMeasure(XmlC4(1))),
      part("P1", 41) + part("P2", 129)));
  EXPECT_EQ(sequence.notes(0).program(), 40);
  EXPECT_EQ(sequence.notes(0).instrument(), 0);
  EXPECT_EQ(sequence.notes(1).program(), 0);
  EXPECT_EQ(sequence.notes(1).instrument(), 1);
  EXPECT_EQ(sequence.notes(1).part(), 1);
}

}  // namespace
}  // namespace continuo
