// SPDX-License-Identifier: Apache-2.0

// Tied notes of MusicXML scores are one note.

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
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlDivisions;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlScore;

constexpr absl::string_view kStart = "<tie type=\"start\"/>";
constexpr absl::string_view kStop = "<tie type=\"stop\"/>";

std::string ScoreOf(const std::vector<std::string>& measures) {
  std::string part = XmlMeasure(XmlDivisions(1) + measures[0]);
  for (size_t i = 1; i < measures.size(); ++i) part += XmlMeasure(measures[i]);
  return XmlScore(XmlPart("P1", part));
}

std::string PlayedNotes(const std::vector<std::string>& measures) {
  return Notes(MustReadMusicXml(ScoreOf(measures)));
}

std::string Tied(int duration, absl::string_view ties, int voice = 1) {
  return XmlC4(duration, absl::StrCat(ties, "<voice>", voice, "</voice>"));
}

std::string Rest(int duration) {
  return absl::StrCat("<note><rest/><duration>", duration,
                      "</duration></note>");
}

std::string Backup(int duration) {
  return absl::StrCat("<backup><duration>", duration, "</duration></backup>");
}

TEST(MusicXmlTiesTest, NotesJoinAcrossMeasures) {
  EXPECT_EQ(PlayedNotes({Tied(4, kStart), Tied(4, absl::StrCat(kStop, kStart)),
                         Tied(2, kStop) + XmlC4(2)}),
            "60@0-5 60@5-6");
}

TEST(MusicXmlTiesTest, TheSignOnPaperCountsWhereThereIsNoOther) {
  EXPECT_EQ(
      PlayedNotes({XmlC4(1, "<notations><tied type=\"start\"/></notations>") +
                   XmlC4(1, "<notations><tied type=\"stop\"/></notations>")}),
      "60@0-1");
}

TEST(MusicXmlTiesTest, OnlyWhatIsTiedJoins) {
  EXPECT_EQ(PlayedNotes({Tied(1, kStart) + Rest(1) + XmlC4(1)}),
            "60@0-0.5 60@1-1.5");
  EXPECT_EQ(PlayedNotes({Tied(1, kStart) + Tied(1, "", 2)}),
            "60@0-0.5 60@0.5-1");
  const std::vector<std::string> lost = {XmlC4(1) + Tied(1, kStop)};
  EXPECT_EQ(PlayedNotes(lost), "60@0-0.5 60@0.5-1");
  EXPECT_EQ(MusicXmlWarnings(ScoreOf(lost)),
            "1 x a tie from no note, read as a new note");
  // What is tied begins where the other ends, or right after its measure.
  EXPECT_EQ(PlayedNotes({Tied(2, kStart) + Rest(2), Rest(4), Tied(4, kStop)}),
            "60@0-1 60@4-6");
}

TEST(MusicXmlTiesTest, TheEndOfATieMayBeForgotten) {
  const std::vector<std::string> forgotten = {Tied(4, kStart), XmlC4(4),
                                              XmlC4(4)};
  EXPECT_EQ(PlayedNotes(forgotten), "60@0-4 60@4-6");
  EXPECT_EQ(MusicXmlWarnings(ScoreOf(forgotten)),
            "1 x a tie whose end is not marked, led to the next note");
  // But not where a repeat goes back to.
  EXPECT_EQ(
      PlayedNotes({XmlC4(4) + Tied(4, kStart) +
                   "<barline><repeat direction=\"backward\"/></barline>"}),
      "60@0-2 60@2-4 60@4-6 60@6-8");
}

TEST(MusicXmlTiesTest, VoicesMayTieToEachOther) {
  // The second voice's note is tied to one of the first, which stands before.
  EXPECT_EQ(PlayedNotes({absl::StrCat(Rest(2), Tied(2, kStop), Backup(4),
                                      Tied(2, kStart, 2))}),
            "60@0-2");
  // Of two that could be it, that of the same voice.
  EXPECT_EQ(
      PlayedNotes({absl::StrCat(Tied(2, kStart), Tied(1, kStop), Backup(3),
                                Tied(2, kStart, 2), Tied(2, kStop, 2))}),
      "60@0-1.5 60@0-2");
}

TEST(MusicXmlTiesTest, AGapOfAShortMeasureIsBridged) {
  // The other part's measure is longer.
  const std::string longer = XmlPart(
      "P2", XmlMeasure(XmlDivisions(1) + XmlC4(4)) + XmlMeasure(XmlC4(4)));
  EXPECT_EQ(Notes(MustReadMusicXml(XmlScore(absl::StrCat(
                XmlPart("P1", XmlMeasure(XmlDivisions(1) + Tied(3, kStart)) +
                                  XmlMeasure(Tied(4, kStop))),
                longer)))),
            "60@0-4 60@0-2 60@2-4");
}

// Both endings are tied to the note before the first.
TEST(MusicXmlTiesTest, EndingsJoinToWhatIsPlayedBefore) {
  const auto ending = [](int number, absl::string_view content,
                         absl::string_view repeat) {
    return absl::StrCat("<barline location=\"left\"><ending number=\"", number,
                        "\" type=\"start\"/></barline>", content,
                        "<barline location=\"right\"><ending number=\"", number,
                        "\" type=\"stop\"/>", repeat, "</barline>");
  };
  EXPECT_EQ(PlayedNotes(
                {Tied(2, kStart),
                 ending(1, Tied(2, kStop), "<repeat direction=\"backward\"/>"),
                 ending(2, Tied(1, kStop), "")}),
            "60@0-2 60@2-3.5");
  // The second one does not say so; what is not its first note is no end.
  EXPECT_EQ(PlayedNotes(
                {Tied(2, kStart),
                 ending(1, Tied(2, kStop), "<repeat direction=\"backward\"/>"),
                 ending(2, Tied(1, "") + Tied(1, ""), "")}),
            "60@0-2 60@2-3.5 60@3.5-4");
}

// As much work as notes, however many are tied to nothing.
TEST(MusicXmlTiesTest, ManyOpenTiesCostNoTime) {
  std::string measure;
  for (int i = 0; i < 2000; ++i) measure += Tied(1, kStart) + Backup(1);
  measure += XmlC4(1) + Tied(1, kStop);
  EXPECT_EQ(MustReadMusicXml(ScoreOf({measure})).notes_size(), 2001);
}

}  // namespace
}  // namespace continuo
