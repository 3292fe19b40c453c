// SPDX-License-Identifier: Apache-2.0

// Measures of MusicXML scores as Magenta reads them: signatures, tempo, moving
// in time.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::Keys;
using ::continuo::testing::MagentaRejection;
using ::continuo::testing::MustReadAsMagenta;
using ::continuo::testing::Notes;
using ::continuo::testing::TimeSignatures;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlDivisions;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlScore;
using ::continuo::testing::XmlScoreOf;
using ::continuo::testing::XmlTime;
using ::tensorflow::magenta::NoteSequence;

// One part of the given measures.
NoteSequence ReadMeasures(const std::vector<std::string>& measures) {
  std::string part;
  for (const std::string& measure : measures) part += XmlMeasure(measure);
  return MustReadAsMagenta(XmlScore(XmlPart("P1", part)));
}

std::string Key(int fifths, absl::string_view more = "") {
  return absl::StrCat("<attributes><key><fifths>", fifths, "</fifths>", more,
                      "</key></attributes>");
}

TEST(MusicXmlMagentaMeasureTest, IncompleteMeasuresGetTheirLengthAsSignature) {
  EXPECT_EQ(TimeSignatures(ReadMeasures(
                {XmlTime("4", "4") + XmlC4(1), XmlC4(4), XmlC4(3), XmlC4(4)})),
            "1/4@0 4/4@0.5 3/4@2.5 4/4@4");
}

TEST(MusicXmlMagentaMeasureTest, AWholeNoteKeepsTheBeatType) {
  EXPECT_EQ(TimeSignatures(
                ReadMeasures({XmlDivisions(2) + XmlTime("6", "8") + XmlC4(6),
                              XmlC4(6), XmlC4(8), XmlC4(6)})),
            "6/8@0 8/8@3 3/4@5");
  EXPECT_EQ(TimeSignatures(
                ReadMeasures({XmlDivisions(2) + XmlTime("2", "2") + XmlC4(8),
                              XmlC4(4), XmlC4(8), XmlC4(12)})),
            "2/2@0 1/2@2 2/2@3 3/2@5");
}

TEST(MusicXmlMagentaMeasureTest, FewerDivisionsThanBeatsCountAsPickup) {
  // A full measure of 6/8, but only three divisions.
  EXPECT_EQ(TimeSignatures(ReadMeasures({XmlTime("6", "8") + XmlC4(3)})),
            "3/4@0");
}

TEST(MusicXmlMagentaMeasureTest, WithoutASignatureTheLengthBecomesOne) {
  EXPECT_EQ(TimeSignatures(ReadMeasures({XmlC4(4), XmlC4(3), XmlC4(4)})),
            "1/1@0 3/4@2 4/4@3.5");
  EXPECT_EQ(TimeSignatures(ReadMeasures({"", XmlC4(4)})), "0/1@0 1/1@0");
}

TEST(MusicXmlMagentaMeasureTest, OnlyTheFirstVoiceMakesTheLength) {
  const std::string voice_2 = XmlC4(4, "<voice>2</voice>");
  EXPECT_EQ(TimeSignatures(ReadMeasures(
                {XmlTime("4", "4") + XmlC4(4), voice_2, XmlC4(4)})),
            "4/4@0 0/1@2 1/1@4");
}

TEST(MusicXmlMagentaMeasureTest, PartsDoNotRepeatSignatures) {
  const std::string first = XmlTime("4", "4") + Key(2) + XmlC4(4);
  const auto sequence = MustReadAsMagenta(XmlScore(
      absl::StrCat(XmlPart("P1", XmlMeasure(first)),
                   XmlPart("P2", XmlMeasure(first) + XmlMeasure(XmlC4(3))))));
  EXPECT_EQ(TimeSignatures(sequence), "4/4@0 3/4@2");
  EXPECT_EQ(Keys(sequence), "2@0");
}

TEST(MusicXmlMagentaMeasureTest, RefusesImpossibleSignatures) {
  for (const auto& [beats, type] :
       std::vector<std::pair<std::string, std::string>>{{"0", "4"},
                                                        {"-3", "4"},
                                                        {"4", "0"},
                                                        {"x", "4"},
                                                        {"3+", "8"},
                                                        {"4", ""},
                                                        {"2000000000", "4"}}) {
    EXPECT_TRUE(absl::StrContains(
        MagentaRejection(XmlScoreOf(XmlTime(beats, type) + XmlC4(1))),
        "an impossible time signature: "))
        << beats << "/" << type;
  }
  EXPECT_TRUE(absl::StrContains(
      MagentaRejection(XmlScoreOf(
          "<attributes><divisions>999999999</divisions></attributes>" +
          XmlC4(1))),
      "check <divisions>"));
  for (const char* divisions : {"0", "-1", "x", ""}) {
    EXPECT_TRUE(absl::StrContains(MagentaRejection(XmlScoreOf(absl::StrCat(
                                      "<attributes><divisions>", divisions,
                                      "</divisions></attributes>"))),
                                  "<divisions>"))
        << divisions;
  }
}

TEST(MusicXmlMagentaMeasureTest, KeysAreMajorAndTheLastOfAMeasureCounts) {
  EXPECT_EQ(Keys(ReadMeasures({Key(-3, "<mode>minor</mode>") + XmlC4(4),
                               Key(1) + XmlC4(2) + Key(2) + XmlC4(2)})),
            "3@0 2@3");
  EXPECT_EQ(Keys(ReadMeasures({XmlC4(4)})), "0@0");
  EXPECT_EQ(Keys(ReadMeasures({Key(-7) + XmlC4(4), Key(7) + XmlC4(4)})),
            "11@0 1@2");
}

TEST(MusicXmlMagentaMeasureTest, KeysSoundTransposed) {
  const auto transposed = [](int fifths, int semitones) {
    return Keys(ReadMeasures(
        {absl::StrCat("<attributes><key><fifths>", fifths,
                      "</fifths></key><transpose><chromatic>", semitones,
                      "</chromatic></transpose></attributes>", XmlC4(4))}));
  };
  EXPECT_EQ(transposed(0, -2), "10@0");
  EXPECT_EQ(transposed(-3, 2), "5@0");
  EXPECT_EQ(transposed(4, 7), "11@0");
  EXPECT_EQ(transposed(4, 8), "0@0");
  EXPECT_EQ(transposed(4, 3), "1@0");  // G, but for Magenta's formula
}

TEST(MusicXmlMagentaMeasureTest, TempoAndVelocityComeFromDirections) {
  const auto sequence = ReadMeasures({absl::StrCat(
      "<sound tempo=\"30\"/>", XmlC4(1),
      "<direction><sound tempo=\"60\" dynamics=\"99\"/>"
      "</direction>",
      XmlC4(1), "<direction><sound dynamics=\"10\"/></direction>", XmlC4(1))});
  EXPECT_EQ(Notes(sequence), "60@0-0.5 60@0.5-1.5 60@1.5-2.5");
  ASSERT_EQ(sequence.tempos_size(), 1);
  EXPECT_EQ(sequence.tempos(0).time(), 0.5);
  EXPECT_EQ(sequence.tempos(0).qpm(), 60);
  EXPECT_EQ(sequence.notes(0).velocity(), 64);
  EXPECT_EQ(sequence.notes(1).velocity(), 99);
  EXPECT_EQ(sequence.notes(2).velocity(), 99);
}

TEST(MusicXmlMagentaMeasureTest, TempoHoldsAtTheStartOfTheNextPart) {
  const std::string tempo = "<direction><sound tempo=\"60\"/></direction>";
  const auto both = MustReadAsMagenta(XmlScore(
      absl::StrCat(XmlPart("P1", XmlMeasure(XmlC4(1) + tempo + XmlC4(1))),
                   XmlPart("P2", XmlMeasure(XmlC4(1))))));
  EXPECT_EQ(Notes(both), "60@0-0.5 60@0.5-1.5 60@0-1");
  // Only the first part's tempos are kept; without any, the last in force.
  const auto second = MustReadAsMagenta(
      XmlScore(absl::StrCat(XmlPart("P1", XmlMeasure(XmlC4(1))),
                            XmlPart("P2", XmlMeasure(tempo + XmlC4(1))))));
  ASSERT_EQ(second.tempos_size(), 1);
  EXPECT_EQ(second.tempos(0).qpm(), 60);
  EXPECT_EQ(second.tempos(0).time(), 0);
}

TEST(MusicXmlMagentaMeasureTest, TempoZeroIsTheDefaultAndNonsenseAnError) {
  const auto tempo = [](absl::string_view value) {
    return XmlScoreOf(absl::StrCat("<direction><sound tempo=\"", value,
                                   "\"/></direction>", XmlC4(1)));
  };
  EXPECT_EQ(MustReadAsMagenta(tempo("0")).tempos(0).qpm(), 120);
  for (const char* value : {"-60", "nan", "inf", "fast", "", "1e300"}) {
    EXPECT_TRUE(absl::StrContains(MagentaRejection(tempo(value)),
                                  "an impossible tempo of <sound>: "))
        << value;
  }
  EXPECT_TRUE(absl::StrContains(MagentaRejection(tempo("1e-300")),
                                "impossible length"));
}

TEST(MusicXmlMagentaMeasureTest, BackupAndForwardMoveTheTime) {
  const auto move = [](absl::string_view name, int duration) {
    return absl::StrCat("<", name, "><duration>", duration, "</duration></",
                        name, ">");
  };
  EXPECT_EQ(Notes(ReadMeasures({XmlC4(2) + move("backup", 2) + XmlC4(1) +
                                move("forward", 3) + XmlC4(1)})),
            "60@0-1 60@0-0.5 60@2-2.5");
  // Before the start: notes begin at 0, total_time is where the part ends.
  const auto early = ReadMeasures({XmlC4(2) + move("backup", 9) + XmlC4(2)});
  EXPECT_EQ(Notes(early), "60@0-1 60@0-1");
  EXPECT_EQ(early.total_time(), 0);
  // The only content of a measure: a rest in the first voice.
  EXPECT_EQ(TimeSignatures(ReadMeasures(
                {XmlTime("4", "4") + XmlC4(4), move("forward", 4), XmlC4(4)})),
            "4/4@0");
  EXPECT_EQ(TimeSignatures(ReadMeasures(
                {XmlTime("4", "4") + XmlC4(4),
                 move("forward", 2) + move("forward", 2), XmlC4(4)})),
            "4/4@0 0/1@2 1/1@4");
  EXPECT_TRUE(absl::StrContains(MagentaRejection(XmlScoreOf("<backup/>")),
                                "<duration>"));
  // Far away and back again.
  EXPECT_TRUE(absl::StrContains(
      MagentaRejection(XmlScoreOf(move("forward", 1000000000) + XmlC4(1) +
                                  move("backup", 1000000000))),
      "impossible length"));
}

}  // namespace
}  // namespace continuo
