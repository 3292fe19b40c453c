// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_playback_order.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_text.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

struct Played {
  absl::Status status;
  std::string pitches;  // letters: "C" is 60
  ReadReport report;
  int64_t work = 0;  // steps taken
};

Played Play(const std::string& body, const std::string& fields = "",
            int64_t work = 1 << 20) {
  const std::string text = absl::StrCat("X:1\n", fields, "K:C\n", body, "\n");
  const AbcBookText book = SplitAbcTunes(text);
  Played played;
  const auto score =
      ReadAbcScore(book.header, book.tunes[0].lines, &played.report);
  played.status = score.status();
  if (!score.ok()) return played;
  played.work = work;
  const auto order = AbcPlaybackOrder(*score, &work, &played.report);
  played.work -= work;
  played.status = order.status();
  if (!order.ok()) return played;
  for (const int i : *order) {
    const int pitch = score->elements[i].pitch;
    if (pitch > 0) played.pitches.push_back("C D EF G A Bc"[pitch - 60]);
  }
  return played;
}

int64_t Warnings(const ReadReport& report, const std::string& part) {
  int64_t count = 0;
  for (const auto& [kind, number] : report.warnings) {
    if (kind.find(part) != std::string::npos) count += number;
  }
  return count;
}

TEST(AbcPlaybackOrderTest, ADoubleBarInsideARepeatStaysAMarkTheSecondTime) {
  EXPECT_EQ(Play("|: C || D |1 E :|2 F |]").pitches, "CDECDF");
  EXPECT_EQ(Play("|] C D |1 E :|2 F |] G").pitches, "CDECDFG");
  EXPECT_EQ(Play("C | D || :| E |1 F :|2 G || A :|").pitches, "CDCDEFEGAA");
}

// As the Nottingham database has it: the second part follows the last ending
// without a mark of its own, and ends with a repeat.
TEST(AbcPlaybackOrderTest, ARepeatBehindAnOutgrownLastEndingBeginsBehindIt) {
  EXPECT_EQ(Play("|: C |1 D :|2 E | F | G :| A").pitches, "CDCEFGFGA");
  // The last ending has what an upbeat took from the first.
  EXPECT_EQ(Play("|: C |1 D :|2 E2 | F :|").pitches, "CDCEFF");
  // No longer than the first: the repeat closes it.
  EXPECT_EQ(Play("|: C |1 D | D :|2 E | F :| A").pitches, "CDDCEFA");
  EXPECT_EQ(Play("|: C |1 D :|2 E | F | G |: A :|").pitches, "CDCEFGAA");
}

TEST(AbcPlaybackOrderTest, APartBeginsASectionEvenWithoutAnOrder) {
  EXPECT_EQ(Play("P:A\nC | D |\nP:B\nE | F :|").pitches, "CDEFEF");
  EXPECT_EQ(Play("P:A\n|: C |\nP:B\nE :|").pitches, "CECE");
}

TEST(AbcPlaybackOrderTest, EndingsOfManyNumbers) {
  EXPECT_EQ(Play("|: C |1,3 D :|2,4 E :| F").pitches, "CDCECDCEF");
  EXPECT_EQ(Play("|: C |1-3 D :|4 E || F").pitches, "CDCDCDCEF");
}

TEST(AbcPlaybackOrderTest, OnlyCapitalLettersNameParts) {
  const Played text = Play("P:A\nC|\nP:dc\nD|\nP:B\nE|\nP:Bis\nF|", "P:ABA\n");
  EXPECT_EQ(text.pitches, "CDEFCD");
  EXPECT_EQ(Play("P:a\nC|\nP:b\nD|", "P:ABA\n").pitches, "CD");
}

TEST(AbcPlaybackOrderTest, OrdersThatDoNotFit) {
  const Played lacking = Play("P:A\nC|\nP:B\nD|", "P:ACB\n");
  EXPECT_EQ(lacking.pitches, "CD");
  EXPECT_EQ(Warnings(lacking.report, "lacks"), 1);
  const Played unnamed = Play("P:A\nC|\nP:B\nD|", "P:AA\n");
  EXPECT_EQ(unnamed.pitches, "CC");
  EXPECT_EQ(Warnings(unnamed.report, "does not name"), 1);
  // The first part without its label; the label in the header.
  EXPECT_EQ(Play("C|\nP:B\nD|", "P:ABA\n").pitches, "CDC");
  EXPECT_EQ(Play("C|\nP:B\nD|", "P:A\n").pitches, "CD");
  // Words.
  EXPECT_EQ(Play("P:A\nC|\nP:B\nD|", "P:Bars\n").pitches, "CD");
}

TEST(AbcPlaybackOrderTest, ALabelWithoutMusicDoesNotHideTheOneWithMusic) {
  const std::string body =
      "V:1\nz|\nP:A\n[V:2]C|\nP:B\n[V:2]D|\nV:1\nP:A\nz|\nP:B\nz|";
  EXPECT_EQ(Play(body, "P:BA\n").pitches, "DC");
}

TEST(AbcPlaybackOrderTest, ExpandsOrders) {
  EXPECT_EQ(*ExpandAbcParts("A(BC)2D"), "ABCBCD");
  EXPECT_EQ(*ExpandAbcParts("A.B 2 (A)0"), "ABBA");
  EXPECT_EQ(*ExpandAbcParts("(A(B)2)2"), "ABBABB");
  EXPECT_EQ(*ExpandAbcParts("Verse"), "");
  EXPECT_EQ(ExpandAbcParts("((A99)99)99").status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(AbcPlaybackOrderTest, LongOrdersTakeLinearTime) {
  std::string order(100000, '(');
  order += "A60000";
  for (int i = 0; i < 100000; ++i) order += ")1";
  EXPECT_EQ(ExpandAbcParts(order)->size(), 60000);
  order.clear();
  for (int i = 0; i < 100000; ++i) order += "()60000";
  EXPECT_EQ(*ExpandAbcParts(order), "");
}

TEST(AbcPlaybackOrderTest, ManyEndingsAreSkippedInOneStep) {
  std::string body = "P:A\nC |1 D :|";
  for (int i = 0; i < 20000; ++i) body += "|3 E ";
  const Played played = Play(body + ":|2 F |]", "P:(A)10\n");
  ASSERT_TRUE(played.status.ok()) << played.status;
  EXPECT_EQ(played.pitches.substr(0, 4), "CDCF");
  EXPECT_LT(played.work, 200);
}

TEST(AbcPlaybackOrderTest, WorkHasALimit) {
  std::string body = "P:A\n";
  for (int i = 0; i < 1000; ++i) body += "| ";
  const Played played = Play(body + "\nP:B\nC", "P:(A)60000\n", 100000);
  EXPECT_EQ(played.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Play("C D", "", 2).status.code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace continuo
