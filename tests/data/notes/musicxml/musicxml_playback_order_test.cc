// SPDX-License-Identifier: Apache-2.0

// The order in which the measures of a score are played.

#include "data/notes/musicxml/musicxml_playback_order.h"

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

// A measure's marks: "|:", ":|", ":|3", "[1", "[1,2", "]", "segno", "coda",
// "tocoda", "fine", "DC", "DS", "DCalfine", "DSalcoda", "again" (repeats after
// jumps), "pass2" (the jump's), "||" (double bar), "end" (final bar).
MeasureMarks Marks(absl::string_view text) {
  MeasureMarks marks;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (word == "|:") {
      marks.repeat_start = true;
    } else if (absl::ConsumePrefix(&word, ":|")) {
      marks.repeat_times = 2;
      if (!word.empty()) {
        EXPECT_TRUE(absl::SimpleAtoi(word, &marks.repeat_times));
      }
    } else if (absl::ConsumePrefix(&word, "[")) {
      marks.ending.emplace();
      for (const absl::string_view pass :
           absl::StrSplit(word, ',', absl::SkipEmpty())) {
        marks.ending->set(pass[0] - '0');
      }
    } else if (word == "]") {
      marks.ending_stop = true;
    } else if (word == "segno") {
      marks.segno = "";
    } else if (word == "coda") {
      marks.coda = "";
    } else if (word == "tocoda") {
      marks.to_coda = true;
    } else if (word == "fine") {
      marks.fine = true;
    } else if (word == "||") {
      marks.double_bar = true;
    } else if (word == "end") {
      marks.final_bar = true;
    } else if (word == "again") {
      marks.repeats_after_jump = true;
    } else if (absl::ConsumePrefix(&word, "pass")) {
      marks.jump_passes.set(word[0] - '0');
    } else {
      marks.jump = absl::ConsumePrefix(&word, "DC") ? JumpKind::kDaCapo
                                                    : JumpKind::kDalSegno;
      absl::ConsumePrefix(&word, "DS");
      marks.jump_until = word == "alfine"   ? JumpUntil::kFine
                         : word == "alcoda" ? JumpUntil::kCoda
                                            : JumpUntil::kAny;
    }
  }
  return marks;
}

// "0 1 0 1 2": what is played of measures with such marks.
std::string Order(const std::vector<std::string>& measures,
                  ReadReport* report = nullptr) {
  ReadReport unused;
  std::vector<MeasureMarks> marks;
  for (const std::string& measure : measures) marks.push_back(Marks(measure));
  std::vector<const MeasureMarks*> pointers;
  for (const MeasureMarks& measure : marks) pointers.push_back(&measure);
  return absl::StrJoin(
      PlaybackOrder(pointers, std::vector<int64_t>(marks.size(), 1), 1000,
                    report != nullptr ? report : &unused),
      " ");
}

TEST(MusicXmlPlaybackOrderTest, RepeatsGoBackToTheirSignOrTheLastRepeat) {
  EXPECT_EQ(Order({"", "", ""}), "0 1 2");
  EXPECT_EQ(Order({"", ":|", ""}), "0 1 0 1 2");
  EXPECT_EQ(Order({"", "|:", ":|", ""}), "0 1 2 1 2 3");
  EXPECT_EQ(Order({"|: :|", ":|", "|:", ":|"}), "0 0 1 1 2 3 2 3");
  EXPECT_EQ(Order({"|: :|3", ""}), "0 0 0 1");
  EXPECT_EQ(Order({"|: :|1", ""}), "0 1");
  // Without an end, a beginning says nothing.
  EXPECT_EQ(Order({"", "|:", ""}), "0 1 2");
  EXPECT_EQ(Order({}), "");
}

TEST(MusicXmlPlaybackOrderTest, AnUnsignedRepeatStaysInItsSection) {
  // The trio behind the Fine of a minuet, or behind its final bar line.
  EXPECT_EQ(Order({":|", "fine ||", "", ":|", "DC"}), "0 0 1 2 3 2 3 4 0 1");
  EXPECT_EQ(Order({"", "end", "", ":|"}), "0 1 2 3 2 3");
  // A double bar may mean less, and so may Fine; a sign says where it begins.
  EXPECT_EQ(Order({"", "||", ":|"}), "0 1 2 0 1 2");
  EXPECT_EQ(Order({"|:", "end", ":|"}), "0 1 2 0 1 2");
  EXPECT_EQ(Order({"", "[1 ] :| end", "[2 ] end", ""}), "0 1 0 2 3");
}

TEST(MusicXmlPlaybackOrderTest, RepeatsNest) {
  EXPECT_EQ(Order({"|:", "|: :|", ":|", ""}), "0 1 1 2 0 1 1 2 3");
}

TEST(MusicXmlPlaybackOrderTest, EndingsBelongToTheirPasses) {
  EXPECT_EQ(Order({"", "[1 ] :|", "[2 ]", ""}), "0 1 0 2 3");
  EXPECT_EQ(Order({"|:", "[1,2 ] :|", "[3 ]", ""}), "0 1 0 1 0 2 3");
  EXPECT_EQ(Order({"|:", "[1 ] :|", "[2 ] :|", "[3 ]", ""}), "0 1 0 2 0 3 4");
  // The repeat sign of the last ending ends it, and no more.
  EXPECT_EQ(Order({"|:", "[1 ] :|", "[2 ] :|", "", ":|"}), "0 1 0 2 3 4 3 4");
  // Only the first one is marked.
  EXPECT_EQ(Order({"|:", "[1 ] :|", "", ""}), "0 1 0 2 3");
  // Of several measures, with a repeat that begins in the second.
  EXPECT_EQ(Order({"", "[1", "] :|", "|: [2 ]", "", ":|", ""}),
            "0 1 2 0 3 4 5 3 4 5 6");
}

TEST(MusicXmlPlaybackOrderTest, EndingsWithMissingOrWrongSigns) {
  EXPECT_EQ(Order({"", "[1 :|", "[2", "", "|:", ":|"}), "0 1 0 2 3 4 5 4 5");
  EXPECT_EQ(Order({"", "[ ] :|", "[ ]", ""}), "0 1 0 2 3");
  EXPECT_EQ(Order({"", "[1 ] :|", "[1 ]", ""}), "0 1 0 2 3");
  EXPECT_EQ(Order({"", "[1 ] :|", "[3 ]", ""}), "0 1 0 2 3");
}

TEST(MusicXmlPlaybackOrderTest, AFirstEndingMayLackItsStart) {
  EXPECT_EQ(Order({"", "] :|", "[2 ]", ""}), "0 1 0 2 3");
  EXPECT_EQ(Order({"|:", "", "] :|", "[2 ]", "|:", "] :|", "[2 ]"}),
            "0 1 2 0 1 3 4 5 4 6");
  // Here the second one is not marked, either: the stop is a mistake.
  EXPECT_EQ(Order({"", "] :|", "", ""}), "0 1 0 1 2 3");
}

TEST(MusicXmlPlaybackOrderTest, ASecondEndingAloneIsPlayed) {
  EXPECT_EQ(Order({"", "", "[2 ]", ""}), "0 1 2 3");
}

TEST(MusicXmlPlaybackOrderTest, JumpsToFine) {
  EXPECT_EQ(Order({"", "fine", "DC", ""}), "0 1 2 0 1");
  EXPECT_EQ(Order({"", "segno", "fine", "DSalfine"}), "0 1 2 3 1 2");
  // Without a jump, and without Fine.
  EXPECT_EQ(Order({"", "fine", ""}), "0 1 2");
  EXPECT_EQ(Order({"", "DC", ""}), "0 1 0 1 2");
}

TEST(MusicXmlPlaybackOrderTest, JumpsToTheCoda) {
  EXPECT_EQ(Order({"", "segno", "tocoda", "DSalcoda", "coda"}),
            "0 1 2 3 1 2 4");
  EXPECT_EQ(Order({"", "tocoda", "DCalcoda", "coda", "fine", ""}),
            "0 1 2 0 1 3 4");
  // D.C. al Fine passes the coda sign.
  EXPECT_EQ(Order({"tocoda", "fine", "DCalfine", "coda"}), "0 1 2 0 1");
  // Without a jump, the second time.
  EXPECT_EQ(Order({"|: tocoda", ":|", "coda"}), "0 1 0 2");
  // Without a coda, on.
  EXPECT_EQ(Order({"tocoda", "DC", ""}), "0 1 0 1 2");
}

TEST(MusicXmlPlaybackOrderTest, AfterAJumpRepeatsArePlayedOnce) {
  EXPECT_EQ(Order({"|: :|", "fine", "DC"}), "0 0 1 2 0 1");
  EXPECT_EQ(Order({"", "[1 ] :|", "[2 ]", "fine", "DC"}), "0 1 0 2 3 4 0 2 3");
  EXPECT_EQ(Order({"|: :| again", "fine", "DC"}), "0 0 1 2 0 0 1");
  // What comes for the first time is repeated.
  EXPECT_EQ(Order({"tocoda", "DC", "coda |: :|"}), "0 1 0 2 2");
  // A repeat comes before a jump from the same measure.
  EXPECT_EQ(Order({"fine", ":| DC"}), "0 1 0 1 0");
}

TEST(MusicXmlPlaybackOrderTest, EndingsWithoutARepeatAreForTheJump) {
  EXPECT_EQ(Order({"", "[1 ] DC", "[2 ]"}), "0 1 0 2");
}

TEST(MusicXmlPlaybackOrderTest, JumpsMayWaitForAPass) {
  EXPECT_EQ(Order({"|: fine", "DC pass2", ":|", ""}), "0 1 2 0 1 0");
}

TEST(MusicXmlPlaybackOrderTest, ALostSegnoCostsTheJump) {
  ReadReport report;
  EXPECT_EQ(Order({"", "DS", ""}, &report), "0 1 2");
  EXPECT_EQ(report.WarningText(), "1 x a D.S. without a segno, not played");
}

TEST(MusicXmlPlaybackOrderTest, WorkIsBounded) {
  for (const std::vector<std::string>& measures :
       std::vector<std::vector<std::string>>{
           {"|: :|1000000", ""},
           // Nested repeats, and skipped endings, which are no measures.
           std::vector<std::string>(40, "|:"),
           {"|:", "[2 ]", "", "[3 ]", "", ":|100000000"}}) {
    std::vector<std::string> closed = measures;
    if (closed.size() == 40) closed.resize(80, ":|");
    ReadReport report;
    std::vector<std::string> written;
    for (size_t i = 0; i < closed.size(); ++i) {
      written.push_back(std::to_string(i));
    }
    EXPECT_EQ(Order(closed, &report), absl::StrJoin(written, " "));
    EXPECT_EQ(report.WarningText(),
              "1 x repeats beyond all measure, not played");
  }
}

}  // namespace
}  // namespace continuo
