// SPDX-License-Identifier: Apache-2.0

// Notes of MusicXML scores as Magenta reads them: pitch, onset, length, notated
// value.

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MagentaRejection;
using ::continuo::testing::MustReadAsMagenta;
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

TEST(MusicXmlMagentaNoteTest, AlterationsStayInTheWrittenOctave) {
  EXPECT_EQ(Notes(MustReadAsMagenta(XmlScoreOf(
                absl::StrCat(XmlPitch("F", "1", 3), XmlPitch("B", "-2", 3),
                             XmlPitch("C", "-1", 4), XmlPitch("B", "1", 4))))),
            "54@0-0.5 57@0.5-1 71@1-1.5 60@1.5-2");
}

TEST(MusicXmlMagentaNoteTest, MicrotonesAreCutOffTowardsTheNote) {
  EXPECT_EQ(Notes(MustReadAsMagenta(XmlScoreOf(absl::StrCat(
                XmlPitch("D", "0.5", 4), XmlPitch("D", "-1.5", 4))))),
            "62@0-0.5 61@0.5-1");
}

TEST(MusicXmlMagentaNoteTest, TranspositionMovesPitchesByItsSemitonesOnly) {
  const std::string transpose =
      "<attributes><transpose><chromatic>-2</chromatic>"
      "<octave-change>-1</octave-change></transpose></attributes>";
  // The next part is at its written pitch again.
  EXPECT_EQ(Notes(MustReadAsMagenta(XmlScore(absl::StrCat(
                XmlPart("P1", XmlMeasure(absl::StrCat(transpose, XmlC4(1)))),
                XmlPart("P2", XmlMeasure(XmlC4(1))))))),
            "58@0-0.5 60@0-0.5");
}

TEST(MusicXmlMagentaNoteTest, ChordNotesTakeOnsetAndLengthOfTheNoteBefore) {
  const std::string e =
      "<note><chord/><pitch><step>E</step><octave>4</octave></pitch>"
      "<duration>1</duration></note>";
  EXPECT_EQ(Notes(MustReadAsMagenta(
                XmlScoreOf(absl::StrCat(XmlC4(2), e, e, XmlC4(1))))),
            "60@0-1 64@0-1 64@0-1 60@1-1.5");
}

TEST(MusicXmlMagentaNoteTest, ChordAfterTheDurationComesTooLate) {
  EXPECT_EQ(Notes(MustReadAsMagenta(
                XmlScoreOf(absl::StrCat(XmlC4(1), XmlC4(1, "<chord/>"))))),
            "60@0-0.5 60@0.5-1");
}

TEST(MusicXmlMagentaNoteTest, GraceNotesHaveNoLengthAndLieAtTheStart) {
  const auto sequence = MustReadAsMagenta(XmlScoreOf(absl::StrCat(
      XmlC4(1),
      "<note><grace/><pitch><step>D</step><octave>4</octave></pitch>"
      "<type>eighth</type></note>",
      XmlC4(1))));
  EXPECT_EQ(Notes(sequence), "60@0-0.5 62@0-0 60@0.5-1");
  EXPECT_EQ(sequence.notes(1).numerator(), 0);
  EXPECT_EQ(sequence.notes(1).denominator(), 1);
}

TEST(MusicXmlMagentaNoteTest, RestsTakeTimeAndCueNotesSound) {
  EXPECT_EQ(
      Notes(MustReadAsMagenta(XmlScoreOf(absl::StrCat(
          "<note><rest/><duration>2</duration></note>", XmlC4(1, "<cue/>"))))),
      "60@1-1.5");
}

TEST(MusicXmlMagentaNoteTest, NotatedLengthIsTypeDotsAndTuplet) {
  const auto value = [](absl::string_view extra) {
    const auto note = MustReadAsMagenta(Timed(extra)).notes(0);
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

TEST(MusicXmlMagentaNoteTest, TupletsOfAnyRatio) {
  const auto tuplet = [](int actual, int normal) {
    const auto note =
        MustReadAsMagenta(
            Timed(absl::StrCat("<time-modification><actual-notes>", actual,
                               "</actual-notes><normal-notes>", normal,
                               "</normal-notes></time-modification>")))
            .notes(0);
    return absl::StrCat(note.numerator(), "/", note.denominator());
  };
  EXPECT_EQ(tuplet(6561, 256), "64/6561");
  EXPECT_EQ(tuplet(1, 1000000000), "250000000/1");
  EXPECT_EQ(tuplet(-3, 2), "-1/6");
}

TEST(MusicXmlMagentaNoteTest, ManyDotsAreStillAFraction) {
  std::string dots;
  for (int i = 0; i < 20; ++i) dots += "<dot/>";
  const auto note = MustReadAsMagenta(Timed(dots)).notes(0);
  EXPECT_EQ(note.numerator(), 2097151);
  EXPECT_EQ(note.denominator(), 4194304);
}

TEST(MusicXmlMagentaNoteTest, NegativeDurationsGoBack) {
  const auto sequence = MustReadAsMagenta(
      XmlScoreOf(absl::StrCat(XmlC4(4), XmlC4(-1), XmlC4(1))));
  EXPECT_EQ(Notes(sequence), "60@0-2 60@2-1.5 60@1.5-2");
  EXPECT_EQ(sequence.time_signatures(0).numerator(), 1);
  EXPECT_EQ(sequence.total_time(), 2);
}

// The standard reads what is left.
TEST(MusicXmlMagentaNoteTest, RejectsWhatHasNoMeaning) {
  const auto rejected = [](absl::string_view content,
                           absl::string_view reason) {
    const std::string message = MagentaRejection(XmlScoreOf(content));
    EXPECT_TRUE(absl::StrContains(message, reason)) << message;
    EXPECT_TRUE(absl::StrContains(message, "part 1 (P1), measure")) << message;
  };
  rejected("<note><duration>1</duration></note>", "a note without <pitch>");
  rejected("<note><unpitched/><duration>1</duration></note>",
           "an unpitched note: ");
  rejected(XmlC4(1, "<voice>a</voice>"), "<voice> is no number: \"a\"");
  rejected(XmlC4(1, "<type>foo</type>"), "<type> is no note value: \"foo\"");
  rejected(XmlPitch("H", "0", 4), "<step> is no letter A to G: \"H\"");
  rejected(XmlPitch("C", "x", 4), "<alter> is no number: \"x\"");
  rejected(XmlPitch("C", "nan", 4), "MIDI range");
  rejected(XmlPitch("C", "0", 12), "MIDI range");
  rejected(XmlPitch("C", "0", 1000000000), "MIDI range");
  rejected("<note><pitch><step>C</step></pitch></note>", "no <octave>: part");
  rejected(
      "<note><pitch><step>C</step><octave>4</octave></pitch>"
      "<duration>99999999999999999999</duration></note>",
      "<duration> is no number: ");
  rejected("<note><chord/><rest/><duration>1</duration></note>",
           "a chord note that follows no note");
  rejected(XmlC4(1,
                 "<time-modification><actual-notes>0</actual-notes>"
                 "<normal-notes>2</normal-notes></time-modification>"),
           "an impossible tuplet: 0 notes");
  std::string dots;
  for (int i = 0; i < 40; ++i) dots += "<dot/>";
  rejected(XmlC4(1, dots), "no simple fraction");
  rejected(XmlC4(1, dots + dots), "too many dots: ");
}

}  // namespace
}  // namespace continuo
