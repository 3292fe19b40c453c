// SPDX-License-Identifier: Apache-2.0

// Lengths of measures and time signatures of MusicXML scores.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::Keys;
using ::continuo::testing::MusicXmlWarnings;
using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::Notes;
using ::continuo::testing::TimeSignatures;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlDivisions;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlScore;
using ::continuo::testing::XmlTime;
using ::tensorflow::magenta::NoteSequence;

std::string Part(absl::string_view id,
                 const std::vector<std::string>& measures) {
  std::string part;
  for (const std::string& measure : measures) part += XmlMeasure(measure);
  return XmlPart(id, part);
}

std::string MetersOf(const std::vector<std::string>& measures) {
  return TimeSignatures(MustReadMusicXml(XmlScore(Part("P1", measures))));
}

std::string MeasureRest(int duration) {
  return absl::StrCat("<note><rest measure=\"yes\"/><duration>", duration,
                      "</duration></note>");
}

constexpr absl::string_view kRepeat =
    "<barline><repeat direction=\"backward\"/></barline>";

TEST(MusicXmlBarsTest, AFullMeasureSaysNothingNew) {
  EXPECT_EQ(MetersOf({XmlTime("4", "4") + XmlC4(4), XmlC4(4), XmlC4(4)}),
            "4/4@0");
  // Other programs restate the signature.
  EXPECT_EQ(
      MetersOf({XmlTime("6", "8") + XmlC4(3), XmlTime("6", "8") + XmlC4(3),
                XmlTime("3", "4") + XmlC4(3)}),
      "6/8@0 3/4@3");
}

TEST(MusicXmlBarsTest, PickupsAndOddMeasuresHaveTheirOwn) {
  EXPECT_EQ(
      MetersOf({XmlTime("4", "4") + XmlC4(1), XmlC4(4), XmlC4(5), XmlC4(4)}),
      "1/4@0 4/4@0.5 5/4@2.5 4/4@5");
  EXPECT_EQ(MetersOf({XmlTime("6", "8") + XmlC4(1), XmlC4(3)}),
            "2/8@0 6/8@0.5");
  // A short last measure ends the piece.
  EXPECT_EQ(MetersOf({XmlTime("4", "4") + XmlC4(4), XmlC4(3)}), "4/4@0");
}

TEST(MusicXmlBarsTest, TwoPartsOfOneMeasureAreOne) {
  EXPECT_EQ(
      MetersOf({XmlTime("4", "4") + XmlC4(4), XmlC4(1), XmlC4(3), XmlC4(4)}),
      "4/4@0");
  // The last bar of a repeated section and its pickup.
  EXPECT_EQ(MetersOf({XmlTime("4", "4") + XmlC4(1), XmlC4(4),
                      XmlC4(3) + std::string(kRepeat)}),
            "1/4@0 4/4@0.5");
}

TEST(MusicXmlBarsTest, WithoutASignatureMeasuresHaveTheirLength) {
  EXPECT_EQ(MetersOf({XmlC4(4), XmlC4(4), XmlC4(3)}), "4/4@0 3/4@4");
  EXPECT_EQ(MetersOf({XmlTime("4", "4") + XmlC4(4),
                      "<attributes><time><senza-misura/></time></attributes>" +
                          XmlC4(5)}),
            "4/4@0 5/4@2");
}

TEST(MusicXmlBarsTest, LengthsThatAreNoSignatureChangeNothing) {
  EXPECT_EQ(
      MetersOf({XmlDivisions(7) + XmlTime("4", "4") + XmlC4(27), XmlC4(28)}),
      "4/4@0");
}

TEST(MusicXmlBarsTest, CompoundSignaturesAreSumsOrTakeTurns) {
  EXPECT_EQ(
      MetersOf({XmlDivisions(2) + XmlTime("3+2", "8") + XmlC4(5), XmlC4(5)}),
      "5/8@0");
  const std::string mixed =
      "<attributes><divisions>2</divisions><time><beats>3</beats><beat-type>8"
      "</beat-type><beats>2</beats><beat-type>4</beat-type></time>"
      "</attributes>";
  EXPECT_EQ(MetersOf({mixed + XmlC4(7), XmlC4(7)}), "7/8@0");
  const std::string alternating =
      "<attributes><divisions>2</divisions><time><beats>3</beats><beat-type>4"
      "</beat-type><beats>2</beats><beat-type>4</beat-type></time>"
      "</attributes>";
  EXPECT_EQ(MetersOf({alternating + XmlC4(6), XmlC4(4), XmlC4(6)}),
            "3/4@0 2/4@1.5 3/4@2.5");
}

TEST(MusicXmlBarsTest, SignaturesWithinAMeasure) {
  EXPECT_EQ(
      MetersOf({XmlTime("4", "4") + XmlC4(4) + XmlTime("3", "4") + XmlC4(3),
                XmlC4(3)}),
      "4/4@0 3/4@2");
}

TEST(MusicXmlBarsTest, TheFirstPartGivesSignatures) {
  const std::string score = XmlScore(absl::StrCat(
      Part("P1", {XmlTime("4", "4") + XmlC4(4), XmlC4(4)}),
      Part("P2",
           {XmlTime("3", "4") + XmlC4(4), XmlTime("2", "2") + XmlC4(4)})));
  EXPECT_EQ(TimeSignatures(MustReadMusicXml(score)), "4/4@0 2/2@2");
  EXPECT_EQ(MusicXmlWarnings(score),
            "2 x a part without <divisions>, guessed; 1 x different time "
            "signatures at once, the first one taken");
}

TEST(MusicXmlBarsTest, PartsStayTogether) {
  // The first part's measures are short, and end early.
  const NoteSequence sequence = MustReadMusicXml(XmlScore(
      absl::StrCat(Part("P1", {XmlTime("4", "4") + XmlC4(1), XmlC4(4)}),
                   Part("P2", {XmlC4(2) + XmlC4(2), XmlC4(4), XmlC4(4)}))));
  EXPECT_EQ(Notes(sequence), "60@0-0.5 60@2-4 60@0-1 60@1-2 60@2-4 60@4-6");
  EXPECT_EQ(TimeSignatures(sequence), "4/4@0");
  EXPECT_EQ(sequence.total_time(), 6);
}

TEST(MusicXmlBarsTest, RestsOfAMeasureFitIt) {
  // As long as a whole note, in 3/4 and in a pickup.
  const std::string score = XmlScore(
      absl::StrCat(Part("P1", {XmlTime("3", "4") + MeasureRest(4), XmlC4(3)}),
                   Part("P2", {XmlC4(3), XmlC4(3)})));
  EXPECT_EQ(Notes(MustReadMusicXml(score)), "60@1.5-3 60@0-1.5 60@1.5-3");
  // Silence makes no measure longer, however many rests it is made of.
  const std::string rest = "<note><rest/><duration>3</duration></note>";
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScore(absl::StrCat(
                Part("P1", {XmlTime("3", "4") + rest + rest, XmlC4(3)}),
                Part("P2", {XmlC4(3), XmlC4(3)}))))),
            "60@1.5-3 60@0-1.5 60@1.5-3");
  const std::string pickup = absl::StrCat(
      "<score-partwise><part id=\"P1\"><measure implicit=\"yes\">",
      XmlTime("4", "4"), MeasureRest(4), "</measure>", XmlMeasure(XmlC4(4)),
      "</part><part id=\"P2\"><measure implicit=\"yes\">", XmlC4(1),
      "</measure></part></score-partwise>");
  EXPECT_EQ(Notes(MustReadMusicXml(pickup)), "60@0.5-2.5 60@0-0.5");
  // Where nothing else is, a measure has the length of its signature.
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScore(Part(
                "P1", {XmlTime("3", "4"), MeasureRest(4), "", XmlC4(3)})))),
            "60@4.5-6");
}

TEST(MusicXmlBarsTest, KeysSoundAndHaveModes) {
  const auto key = [](int fifths, absl::string_view mode,
                      absl::string_view more = "") {
    return absl::StrCat("<attributes><key><fifths>", fifths, "</fifths><mode>",
                        mode, "</mode></key>", more, "</attributes>");
  };
  const auto keys = [](const std::vector<std::string>& measures) {
    return Keys(MustReadMusicXml(XmlScore(Part("P1", measures))));
  };
  EXPECT_EQ(keys({key(0, "major") + XmlC4(4), key(0, "minor") + XmlC4(4),
                  key(-3, "minor") + XmlC4(4), XmlC4(4)}),
            "0@0 9m@2 0m@4");
  EXPECT_EQ(
      keys({key(4, "major", "<transpose><chromatic>3</chromatic></transpose>") +
            XmlC4(4)}),
      "7@0");
  EXPECT_EQ(keys({key(2, "dorian") + XmlC4(4)}), "4@0");
  EXPECT_EQ(keys({key(11, "major") + XmlC4(4)}), "5@0");
  EXPECT_EQ(keys({XmlC4(4)}), "");
  // Of the first part that has one; others only if they say something else.
  const auto two = [&](int first, int second) {
    return XmlScore(absl::StrCat(
        Part("P1", {XmlDivisions(1) + key(first, "") + XmlC4(4)}),
        Part("P2", {XmlDivisions(1) + key(second, "minor") + XmlC4(4)})));
  };
  EXPECT_EQ(Keys(MustReadMusicXml(two(1, 1))), "7@0");
  EXPECT_EQ(MusicXmlWarnings(two(1, 1)), "");
  EXPECT_EQ(MusicXmlWarnings(two(1, 2)),
            "1 x different keys at once, the first one taken");
}

TEST(MusicXmlBarsTest, ImpossibleSignaturesCostThemselves) {
  for (const char* beats : {"0", "x", "3+", "2000000000"}) {
    const std::string score = XmlScore(
        Part("P1", {XmlDivisions(1) + XmlTime(beats, "4") + XmlC4(4)}));
    EXPECT_EQ(MusicXmlWarnings(score),
              "1 x an impossible time signature, left out");
    EXPECT_EQ(TimeSignatures(MustReadMusicXml(score)), "4/4@0");
  }
  EXPECT_EQ(MusicXmlWarnings(XmlScore(Part(
                "P1", {XmlDivisions(1) +
                       "<attributes><divisions>0</divisions><key><key-step>C"
                       "</key-step></key></attributes>" +
                       XmlC4(4)}))),
            "1 x a key that is no major or church mode, left out; 1 x "
            "impossible <divisions>, left out");
}

}  // namespace
}  // namespace continuo
