// Notes of MusicXML scores: pitch, onset, length, notated value.

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MusicXmlError;
using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::Notes;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlPitch;
using ::continuo::testing::XmlScore;
using ::continuo::testing::XmlScoreOf;

std::string Timed(absl::string_view extra) {
  return XmlScoreOf(XmlC4(1, extra));
}

TEST(MusicXmlNoteTest, AlterationsStayInTheWrittenOctave) {
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScoreOf(
                absl::StrCat(XmlPitch("F", "1", 3), XmlPitch("B", "-2", 3),
                             XmlPitch("C", "-1", 4), XmlPitch("B", "1", 4))))),
            "54@0-0.5 57@0.5-1 71@1-1.5 60@1.5-2");
}

TEST(MusicXmlNoteTest, MicrotonesAreCutOffTowardsTheNote) {
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScoreOf(absl::StrCat(
                XmlPitch("D", "0.5", 4), XmlPitch("D", "-1.5", 4))))),
            "62@0-0.5 61@0.5-1");
}

TEST(MusicXmlNoteTest, TranspositionMovesPitchesByItsSemitonesOnly) {
  const std::string transpose =
      "<attributes><transpose><chromatic>-2</chromatic>"
      "<octave-change>-1</octave-change></transpose></attributes>";
  // The next part is at its written pitch again.
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScore(absl::StrCat(
                XmlPart("P1", XmlMeasure(absl::StrCat(transpose, XmlC4(1)))),
                XmlPart("P2", XmlMeasure(XmlC4(1))))))),
            "58@0-0.5 60@0-0.5");
}

TEST(MusicXmlNoteTest, ChordNotesTakeOnsetAndLengthOfTheNoteBefore) {
  const std::string e =
      "<note><chord/><pitch><step>E</step><octave>4</octave></pitch>"
      "<duration>1</duration></note>";
  EXPECT_EQ(Notes(MustReadMusicXml(
                XmlScoreOf(absl::StrCat(XmlC4(2), e, e, XmlC4(1))))),
            "60@0-1 64@0-1 64@0-1 60@1-1.5");
  // Without a note before it, it is one.
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScoreOf(absl::StrCat(e, XmlC4(1))))),
            "64@0-0.5 60@0.5-1");
}

TEST(MusicXmlNoteTest, ChordAfterTheDurationComesTooLate) {
  EXPECT_EQ(Notes(MustReadMusicXml(
                XmlScoreOf(absl::StrCat(XmlC4(1), XmlC4(1, "<chord/>"))))),
            "60@0-0.5 60@0.5-1");
}

TEST(MusicXmlNoteTest, GraceNotesHaveNoLengthAndLieAtTheStart) {
  const auto sequence = MustReadMusicXml(XmlScoreOf(absl::StrCat(
      XmlC4(1),
      "<note><grace/><pitch><step>D</step><octave>4</octave></pitch>"
      "<type>eighth</type></note>",
      XmlC4(1))));
  EXPECT_EQ(Notes(sequence), "60@0-0.5 62@0-0 60@0.5-1");
  EXPECT_EQ(sequence.notes(1).numerator(), 0);
  EXPECT_EQ(sequence.notes(1).denominator(), 1);
}

TEST(MusicXmlNoteTest, RestsTakeTimeAndCueNotesSound) {
  EXPECT_EQ(
      Notes(MustReadMusicXml(XmlScoreOf(absl::StrCat(
          "<note><rest/><duration>2</duration></note>", XmlC4(1, "<cue/>"))))),
      "60@1-1.5");
}

TEST(MusicXmlNoteTest, NotatedLengthIsTypeDotsAndTuplet) {
  const auto value = [](absl::string_view extra) {
    const auto note = MustReadMusicXml(Timed(extra)).notes(0);
    return absl::StrCat(note.numerator(), "/", note.denominator());
  };
  EXPECT_EQ(value(""), "1/4");
  EXPECT_EQ(value("<type>maxima</type><dot/>"), "12/1");
  EXPECT_EQ(value("<type>breve</type>"), "2/1");
  EXPECT_EQ(value("<type>1024th</type><dot/><dot/>"), "7/4096");
  EXPECT_EQ(value("<type>half</type><dot/><time-modification>"
                  "<actual-notes>6</actual-notes><normal-notes>4</normal-notes>"
                  "</time-modification>"),
            "1/2");
}

TEST(MusicXmlNoteTest, NumbersMayBeDecimals) {
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScoreOf(
                "<attributes><divisions>2.0</divisions></attributes><note>"
                "<pitch><step>C</step><octave>4</octave></pitch>"
                "<duration> +1.5 </duration></note>"))),
            "60@0-0.375");
}

TEST(MusicXmlNoteTest, UnpitchedNotesNeedAMidiSound) {
  const std::string part_list =
      "<score-part id=\"P1\"><part-name>Drums</part-name>"
      "<midi-instrument id=\"K\"><midi-channel>10</midi-channel>"
      "<midi-program>1</midi-program><midi-unpitched>37</midi-unpitched>"
      "</midi-instrument><midi-instrument id=\"S\">"
      "<midi-unpitched>39</midi-unpitched></midi-instrument></score-part>";
  const auto hit = [](absl::string_view id) {
    return absl::StrCat(
        "<note><unpitched/><duration>1</duration><instrument id=\"", id,
        "\"/></note>");
  };
  const auto sequence = MustReadMusicXml(XmlScore(
      XmlPart("P1", XmlMeasure(absl::StrCat(hit("K"), hit("S")))), part_list));
  EXPECT_EQ(Notes(sequence), "36@0-0.5 38@0.5-1");
  EXPECT_TRUE(sequence.notes(0).is_drum());
  EXPECT_EQ(sequence.notes(0).instrument(), 10);

  EXPECT_TRUE(absl::StrContains(
      MusicXmlError(XmlScore(XmlPart("P1", XmlMeasure(hit("X"))), part_list)),
      "midi-unpitched"));
}

TEST(MusicXmlNoteTest, RefusesWhatHasNoMeaning) {
  const auto refused = [](absl::string_view content, absl::string_view reason) {
    const std::string message = MusicXmlError(XmlScoreOf(content));
    EXPECT_TRUE(absl::StrContains(message, reason)) << message;
    EXPECT_TRUE(absl::StrContains(message, "part 1 (P1), measure")) << message;
  };
  refused("<note><duration>1</duration></note>", "a note without <pitch>, ");
  refused(XmlC4(-1), "a negative <duration>: part");
  refused(XmlC4(1, "<voice>a</voice>"), "<voice> is no number: \"a\"");
  refused(XmlC4(1, "<type>foo</type>"), "<type> is no note value: \"foo\"");
  refused(XmlPitch("H", "0", 4), "<step> is no letter A to G: \"H\"");
  refused(XmlPitch("C", "x", 4), "<alter> is no number: \"x\"");
  refused(XmlPitch("C", "nan", 4), "MIDI range");
  refused(XmlPitch("C", "0", 12), "MIDI range");
  refused(XmlPitch("C", "0", 1000000000), "MIDI range");
  refused("<note><pitch><step>C</step></pitch></note>", "no <octave>: part");
  refused(
      "<note><pitch><step>C</step><octave>4</octave></pitch>"
      "<duration>99999999999999999999</duration></note>",
      "<duration> is no number: ");
  refused(XmlC4(1000000000), "a score of impossible length: ");
  refused(XmlC4(1,
                "<time-modification><actual-notes>0</actual-notes>"
                "<normal-notes>2</normal-notes></time-modification>"),
          "an impossible tuplet: 0 notes");
  refused(XmlC4(1,
                "<dot/><dot/><dot/><dot/><dot/><dot/><dot/><dot/><dot/>"
                "<dot/><dot/>"),
          "too many dots: ");
}

}  // namespace
}  // namespace continuo
