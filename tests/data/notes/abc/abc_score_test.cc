// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_score.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_text.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using ElementKind = AbcElement::Kind;

absl::StatusOr<AbcScore> Read(const std::string& body, ReadReport* report,
                              const std::string& fields = "") {
  const std::string text =
      absl::StrCat("X:1\nL:1/4\n", fields, "K:C\n", body, "\n");
  const AbcBookText book = SplitAbcTunes(text);
  return ReadAbcScore(book.header, book.tunes[0].lines, report);
}

// "kind: count" of the only warning, or all of them.
std::string Warned(const std::string& body, const std::string& fields = "") {
  ReadReport report;
  const auto score = Read(body, &report, fields);
  EXPECT_TRUE(score.ok()) << score.status();
  return report.WarningText();
}

TEST(AbcScoreTest, WhatIsDroppedOrGuessedIsCounted) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"C {de}D {f}E", "3 x grace notes, left out"},
      {"[CEG] [CE]", "3 x notes of a chord below its highest, left out"},
      {"C & E G | D", "2 x notes behind an overlay's \"&\", left out"},
      {"V:1\nC\nV:2\nD E\n",
       "2 x notes of other voices than the first, left out"},
      {"C (99DE",
       "1 x a tuplet that cannot be read, its notes taken as "
       "written"},
      {"C>D3", "1 x a broken rhythm between unequal notes, left out"},
      {"C,,,,,,D", "1 x a note outside of MIDI's range, left out"},
      {"^/C", "1 x a quarter tone, read as the natural note"},
      {"C [M:x]D", "1 x a meter that cannot be read, left out"},
      {"C [L:x]D", "1 x a unit note length that cannot be read, left out"},
      {"C [Q:fast]D", "1 x a tempo that cannot be read, left out"},
      {"C [K:G#]D", "1 x a key that cannot be read, left out"},
      {"C \"D|E", "1 x a quotation mark without its partner, its bar left out"},
      {"C {D E",
       "1 x a brace without its end, grace notes up to the next "
       "space; 1 x grace notes, left out"},
      {"C [K:D E",
       "1 x a field in brackets without its end, its first word "
       "read"},
      // Not to speak of:
      {"C !trill!D (EF) \"Am\"G [Q:\"slow\"] [K:clef=bass] ~A z y", ""},
  };
  for (const auto& [body, warning] : cases) {
    EXPECT_EQ(Warned(body), warning) << body;
  }
}

TEST(AbcScoreTest, ANoteOutOfRangeKeepsItsTime) {
  ReadReport report;
  const auto score = Read("C ^g''''''2 D", &report);
  ASSERT_TRUE(score.ok()) << score.status();
  ASSERT_EQ(score->elements.size(), 3);
  EXPECT_EQ(score->elements[1].kind, ElementKind::kRest);
  EXPECT_TRUE(score->elements[1].length == MakeRational(1, 2));
  // Of a chord the notes within it stay.
  const auto chord = Read("[Cc'''''']", &report);
  ASSERT_TRUE(chord.ok());
  EXPECT_EQ(chord->elements[0].pitch, 60);
  const auto none = Read("z\nc''''''", &report);
  EXPECT_EQ(none.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(none.status().message(), "line 5"));
}

TEST(AbcScoreTest, PartsAndTemposAreOfTheWholeTune) {
  ReadReport report;
  const auto score = Read(
      "P:A\n[V:1]C|D|\n[V:2]E|[Q:1/4=60]F|\nP:B\n[V:1]G|[Q:1/4=90]A|\n"
      "[V:2]B|c|",
      &report, "Q:1/4=120\nV:1\nV:2\n");
  ASSERT_TRUE(score.ok()) << score.status();
  std::string played;
  for (const AbcElement& element : score->elements) {
    if (element.kind == ElementKind::kPart) played += element.text;
    if (element.kind != ElementKind::kNote) continue;
    absl::StrAppend(&played, " ", score->contexts[element.context].qpm);
  }
  EXPECT_EQ(played, "A 120 60B 60 90");
}

TEST(AbcScoreTest, KeysAndClefsOfOneVoiceLeaveTheOthersAlone) {
  ReadReport report;
  const auto score = Read("V:1\nF\nV:2 octave=1\n[K:G octave=-1]F\nV:1\nF",
                          &report, "%%MIDI transpose 1\n");
  ASSERT_TRUE(score.ok());
  EXPECT_EQ(score->elements[0].pitch, 66);
  EXPECT_EQ(score->elements[1].pitch, 66);
}

TEST(AbcScoreTest, CommentsEndAtThePercentSignUnlessItIsEscaped) {
  ReadReport report;
  const auto score = Read("\"90\\%\"C D % E", &report);
  ASSERT_TRUE(score.ok());
  ASSERT_EQ(score->elements.size(), 3);
  EXPECT_EQ(score->elements[0].text, "90\\%");
}

TEST(AbcScoreTest, VoicesWithoutNotesAreNotReadOneByOne) {
  std::string body;
  for (int i = 0; i < 60; ++i) absl::StrAppend(&body, "V:", i, "\nz|\n");
  ReadReport report;
  const auto score = Read(body + "V:last\nC|", &report);
  ASSERT_TRUE(score.ok());
  EXPECT_EQ(score->elements[0].pitch, 60);
  EXPECT_TRUE(report.warnings.empty());
}

}  // namespace
}  // namespace continuo
