// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_lexer.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using Kind = AbcToken::Kind;

// The line's symbols as a text: notes as letters, 'text', !decoration!, {n} for
// grace notes, [field], | for bars, ? behind what was a slip.
std::string Lex(absl::string_view line) {
  std::string out;
  AbcLexer lexer(line);
  while (const auto token = lexer.Next()) {
    switch (token->kind) {
      case Kind::kNote:
        for (const AbcPitch& pitch : token->pitches) {
          const char letter = static_cast<char>('A' + pitch.letter);
          out.push_back(pitch.octave > 0 ? absl::ascii_tolower(letter)
                                         : letter);
        }
        break;
      case Kind::kText:
        absl::StrAppend(&out, "'", token->text, "'");
        break;
      case Kind::kDecoration:
        absl::StrAppend(&out, "!", token->text, "!");
        break;
      case Kind::kGrace:
        absl::StrAppend(&out, "{", token->grace_notes, "}");
        break;
      case Kind::kField:
        absl::StrAppend(&out, "[", std::string(1, token->field), token->text,
                        "]");
        break;
      case Kind::kBar:
        out.push_back('|');
        break;
      default:
        out.push_back('.');
    }
    if (!token->slip.empty()) out.push_back('?');
  }
  return out;
}

TEST(AbcLexerTest, DecorationsReachToTheirEndWithinTheBar) {
  EXPECT_EQ(Lex("!D.C. al fine! G8|"), "!D.C. al fine!G|");
  EXPECT_EQ(Lex("!+!C!>!D!f!E"), "!+!C!>!D!f!E");
  EXPECT_EQ(Lex("+fermata+C"), "!fermata!C");
  EXPECT_EQ(Lex("!a b|c!"), "ab|c");
  EXPECT_EQ(Lex("!a b::c!"), "ab|c");
  EXPECT_EQ(Lex("C!!D! !E"), "C!!D!!E");
  EXPECT_EQ(Lex("!\"x!C\"y\"D"), "!\"x!C'y'D");
}

TEST(AbcLexerTest, PlusSignsHoldChordsOrWords) {
  EXPECT_EQ(Lex("+CEG+D+E G+"), "CEGDEG");
  EXPECT_EQ(Lex("C+D E"), "CDE");
}

TEST(AbcLexerTest, QuotesMayHoldQuotes) {
  EXPECT_EQ(Lex("\"_1. \\\"Till he come\\\" O let\"C2D"),
            "'_1. \\\"Till he come\\\" O let'CD");
  EXPECT_EQ(Lex("\"a|b\"C"), "'a|b'C");
  EXPECT_EQ(Lex("[\"^x]\"CE]D"), "CED");
  EXPECT_EQ(Lex("\"\"C"), "''C");
}

TEST(AbcLexerTest, AQuoteWithoutItsPartnerEndsWithTheBar) {
  EXPECT_EQ(Lex("C \"d e|F \"G\"G|"), "C'd e'?|F'G'G|");
  EXPECT_EQ(Lex("\"C\"C|\"d e|F"), "'C'C|'d e'?|F");
  EXPECT_EQ(Lex("C\""), "C''?");
}

TEST(AbcLexerTest, GraceNotes) {
  EXPECT_EQ(Lex("{/cde}C{}D"), "{3}C{0}D");
  EXPECT_EQ(Lex("{cd E F|{g}A"), "{2}?EF|{1}A");
  EXPECT_EQ(Lex("{cd{e}F"), "{2}?{1}F");
}

TEST(AbcLexerTest, FieldsInBrackets) {
  EXPECT_EQ(Lex("[M:C|]C[K: D ]"), "[MC|]C[KD]");
  EXPECT_EQ(Lex("[K:F B2|[CE]"), "[KF]?B|CE");
  EXPECT_EQ(Lex("[r: see [1] there"), "[rsee [1]ee");
  EXPECT_EQ(Lex("[r: see C"), "[rsee C]");
}

TEST(AbcLexerTest, ChordsWithoutAnEndAreSingleNotes) {
  EXPECT_EQ(Lex("[CE G|c"), "CEG|c");
}

TEST(AbcLexerTest, HostileLinesTakeLinearTime) {
  for (const std::string piece :
       {"\"", "\\\"|", "\"a|", "C\"a", "!", "!a ", "{a", "[K:", "[r:", "+a",
        "[a", "[\"", "::", "! |"}) {
    std::string line;
    for (int i = 0; i < 200000; ++i) line += piece;
    size_t symbols = 0;
    AbcLexer lexer(line);
    while (lexer.Next()) ++symbols;
    EXPECT_LE(symbols, line.size()) << piece;
  }
}

}  // namespace
}  // namespace continuo
