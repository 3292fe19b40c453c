// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_jumps.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_score.h"
#include "data/notes/abc/abc_text.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

// "from>to", "from>to.stop" or "from>to,leave+coda"; "-" for no jump, "?" for
// one that is not clear. A place is the number of notes in front of it.
std::string Jump(const std::string& body) {
  const std::string text = absl::StrCat("X:1\nK:C\n", body, "\n");
  const AbcBookText book = SplitAbcTunes(text);
  ReadReport report;
  const auto score = ReadAbcScore(book.header, book.tunes[0].lines, &report);
  EXPECT_TRUE(score.ok()) << score.status();
  const int end = static_cast<int>(score->elements.size());
  const auto notes = [&](int place) {
    int count = 0;
    for (int i = 0; i < place; ++i) {
      count += score->elements[i].kind == AbcElement::Kind::kNote ? 1 : 0;
    }
    return count;
  };
  const auto jump = FindAbcJump(score->elements, &report);
  if (!jump) return report.warnings.empty() ? "-" : "?";
  std::string out = absl::StrCat(notes(jump->from), ">", notes(jump->to));
  if (jump->stop < end) absl::StrAppend(&out, ".", notes(jump->stop));
  if (jump->leave < end) {
    absl::StrAppend(&out, ",", notes(jump->leave), "+", notes(jump->coda));
  }
  return out;
}

TEST(AbcJumpsTest, MarksBelongToTheNoteBehindThem) {
  EXPECT_EQ(Jump("C !fine!D|E !D.C.!F|]"), "4>0.2");
  EXPECT_EQ(Jump("C D !fine!|E F !D.C.!|]"), "4>0.2");
  EXPECT_EQ(Jump("C !segno!D|!fine!E|F !D.S.!G|]"), "5>1.3");
  EXPECT_EQ(Jump("C\nP:segno\nD|\nP:fine\nE\nP:D.S.\nF"), "3>1.2");
}

TEST(AbcJumpsTest, ToTheCoda) {
  EXPECT_EQ(Jump("C D!coda!|E!D.C.!|!coda!F|]"), "3>0,2+3");
  EXPECT_EQ(Jump("C D!dacoda!|E!D.C. al coda!|!coda!F|]"), "3>0,2+3");
  EXPECT_EQ(Jump("C !segno!D!coda!|E!D.S.alcoda!|!coda!F|]"), "3>1,2+3");
}

TEST(AbcJumpsTest, WhatIsNotClearIsNoJump) {
  EXPECT_EQ(Jump("C D"), "-");
  EXPECT_EQ(Jump("C !segno!D !fine!E !coda!F"), "-");
  for (const char* body : {
           "C D !D.C.!|",                    // no end
           "C D !D.C. al fine!|",            // no fine
           "C !fine!|D !fine!|E !D.C.!|",    // two of them
           "C D !D.C.!|E !fine!|",           // behind
           "C !fine!|D !D.C.!|E !D.C.!|",    // two jumps
           "C !fine!|D !D.S.!|",             // no segno
           "C !fine!|D !D.S.!|!segno!E",     // behind
           "C !coda!D !D.C. al coda!|E",     // one coda
           "C !dacoda!D !coda!E !D.C.!|F",   // the coda before
           "|:C !fine!|1 D !D.C.!:|2 E |]",  // in an ending
       }) {
    EXPECT_EQ(Jump(body), "?") << body;
  }
}

}  // namespace
}  // namespace continuo
