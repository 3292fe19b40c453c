// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_magenta.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_text.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

std::optional<NoteSequence> Read(const std::string& body,
                                 const std::string& header = "L:1/4\nK:C\n") {
  const std::string text = absl::StrCat("X:1\n", header, body);
  const AbcBookText book = SplitAbcTunes(text);
  EXPECT_EQ(book.tunes.size(), 1);
  return ReadMagentaAbcTune(book.header, book.tunes[0].lines);
}

TEST(AbcMagentaTest, RejectsWhatMagentaRejects) {
  for (const char* body :
       {"C z",          "[CE]",  "(3CDE",   "|1 C",     "|: C [2 D", "P:A",
        "V:1",          "{c}D",  "^^C",     "!p!C",     "C//3",      "C3//",
        "C/0",          "C>D>",  "|: C",    "C :| |::", "|: C ::|",  ":| C",
        "C\\D",         "\"C",   "C''''''", "Q:fast",   "M:6",       "K:X",
        "K:C#phr# __b", "L:1/0", "> C D",   "C D/>E"}) {
    const bool pending_at_end = std::string(body) == "C>D>";
    EXPECT_EQ(Read(body).has_value(), pending_at_end) << body;
  }
}

TEST(AbcMagentaTest, KeepsMagentasQuirks) {
  // Ties join nothing.
  EXPECT_EQ(Read("C-C")->notes_size(), 2);
  // Two marks move a quarter of the length, not three quarters.
  EXPECT_DOUBLE_EQ(Read("C>>D")->notes(0).end_time(), 0.625);
  // "::" is no bar line; "||" is.
  EXPECT_EQ(Read("|: ^C :: C :|")->notes(1).pitch(), 61);
  EXPECT_EQ(Read("^C || C")->notes(1).pitch(), 60);
  // A clef counts as an accidental.
  EXPECT_EQ(Read("B", "L:1/4\nK:F clef=bass\n")->notes(0).pitch(), 71);
  // A chord that is tied inside is not seen as one.
  EXPECT_EQ(Read("[C-E]")->notes_size(), 2);
}

TEST(AbcMagentaTest, RecordsRepeatsAsSections) {
  const auto sequence = Read("|: C D :| E || F |");
  ASSERT_TRUE(sequence.has_value());
  ASSERT_EQ(sequence->section_annotations_size(), 3);
  EXPECT_DOUBLE_EQ(sequence->section_annotations(1).time(), 1);
  ASSERT_EQ(sequence->section_groups_size(), 3);
  EXPECT_EQ(sequence->section_groups(0).num_times(), 2);
  EXPECT_EQ(sequence->section_groups(1).num_times(), 1);
  EXPECT_EQ(sequence->section_groups(2).sections(0).section_id(), 2);
}

TEST(AbcMagentaTest, FieldsAreRecorded) {
  const auto sequence =
      Read("C [K:Gmix] [M:3/4] D",
           "T:One\nT:Two\nC:A\nC:B\nM:C|\nL:1/8\nQ:\"x\" 3/8 = 40\nK:Bbm ^c\n");
  ASSERT_TRUE(sequence.has_value());
  EXPECT_EQ(sequence->sequence_metadata().title(), "One; Two");
  EXPECT_EQ(sequence->sequence_metadata().artist(), "A");
  EXPECT_EQ(sequence->sequence_metadata().composers_size(), 2);
  EXPECT_DOUBLE_EQ(sequence->tempos(0).qpm(), 60);
  EXPECT_EQ(sequence->notes(0).pitch(), 61);
  EXPECT_EQ(sequence->key_signatures(0).key(),
            NoteSequence::KeySignature::A_SHARP);
  EXPECT_EQ(sequence->key_signatures(1).mode(),
            NoteSequence::KeySignature::MIXOLYDIAN);
  EXPECT_EQ(sequence->time_signatures(1).numerator(), 3);
}

}  // namespace
}  // namespace continuo
