// SPDX-License-Identifier: Apache-2.0

// Repeats, jumps and endings as MusicXML writes them.

#include "data/notes/musicxml/musicxml_marks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

struct Read {
  MeasureMarks marks;
  MeasureMarks next;
  ReadReport report;
};

Read ReadMarks(absl::string_view content) {
  pugi::xml_document document;
  EXPECT_TRUE(
      ParseXml(absl::StrCat("<measure>", content, "</measure>"), &document)
          .ok());
  Read read;
  ReadMeasureMarks(document.document_element(), &read.marks, &read.next,
                   &read.report);
  return read;
}

MeasureMarks Words(absl::string_view words) {
  return ReadMarks(absl::StrCat("<direction><direction-type><words>", words,
                                "</words></direction-type></direction>"))
      .marks;
}

MeasureMarks Sound(absl::string_view attributes) {
  return ReadMarks(
             absl::StrCat("<direction><sound ", attributes, "/></direction>"))
      .marks;
}

std::string Ending(absl::string_view number) {
  const MeasureMarks marks =
      ReadMarks(absl::StrCat("<barline location=\"left\"><ending number=\"",
                             number, "\" type=\"start\"/></barline>"))
          .marks;
  std::string passes;
  for (size_t i = 0; i <= kMaxPass; ++i) {
    if (marks.ending->test(i)) absl::StrAppend(&passes, i, ";");
  }
  return passes;
}

TEST(MusicXmlMarksTest, RepeatSigns) {
  EXPECT_TRUE(ReadMarks("<barline location=\"left\"><repeat "
                        "direction=\"forward\"/></barline>")
                  .marks.repeat_start);
  EXPECT_EQ(ReadMarks("<barline><repeat direction=\"backward\"/></barline>")
                .marks.repeat_times,
            2);
  EXPECT_EQ(ReadMarks("<barline><repeat direction=\"backward\" times=\"5\" "
                      "after-jump=\"yes\"/></barline>")
                .marks.repeat_times,
            5);
  const Read wrong = ReadMarks(
      "<barline><repeat direction=\"backward\" times=\"x\"/></barline>");
  EXPECT_EQ(wrong.marks.repeat_times, 2);
  EXPECT_EQ(wrong.report.warnings.size(), 1);
  EXPECT_EQ(ReadMarks("<barline location=\"middle\"><repeat "
                      "direction=\"backward\"/></barline>")
                .marks.repeat_times,
            0);
  EXPECT_TRUE(Sound("forward-repeat=\"yes\"").repeat_start);
}

TEST(MusicXmlMarksTest, EndingNumbers) {
  EXPECT_EQ(Ending("1"), "1;");
  EXPECT_EQ(Ending("1, 2"), "1;2;");
  EXPECT_EQ(Ending("1. 3."), "1;3;");
  EXPECT_EQ(Ending("1.-3."), "1;2;3;");
  EXPECT_EQ(Ending("1-3"), "1;2;3;");
  EXPECT_EQ(Ending(""), "");
  EXPECT_EQ(Ending("1-1000000000000000000000"), Ending("1-63"));
  EXPECT_TRUE(ReadMarks("<barline><ending number=\"1\" "
                        "type=\"discontinue\"/></barline>")
                  .marks.ending_stop);
}

TEST(MusicXmlMarksTest, BarLinesThatEndSections) {
  const auto bar = [](absl::string_view style, absl::string_view location) {
    const MeasureMarks marks =
        ReadMarks(absl::StrCat("<barline", location, "><bar-style>", style,
                               "</bar-style></barline>"))
            .marks;
    return (marks.double_bar ? 1 : 0) + (marks.final_bar ? 2 : 0);
  };
  EXPECT_EQ(bar("light-light", ""), 1);
  EXPECT_EQ(bar("light-heavy", " location=\"right\""), 2);
  EXPECT_EQ(bar("heavy-heavy", ""), 2);
  EXPECT_EQ(bar("light-light", " location=\"left\""), 0);
  EXPECT_EQ(bar("light-light", " location=\"middle\""), 0);
  EXPECT_EQ(bar("dashed", ""), 0);
}

TEST(MusicXmlMarksTest, SoundsOrderJumps) {
  EXPECT_EQ(Sound("dacapo=\"yes\"").jump, JumpKind::kDaCapo);
  EXPECT_EQ(Sound("dacapo=\"no\"").jump, JumpKind::kNone);
  const MeasureMarks segno = Sound("dalsegno=\"b\" time-only=\"2\"");
  EXPECT_EQ(segno.jump, JumpKind::kDalSegno);
  EXPECT_EQ(segno.jump_label, "b");
  EXPECT_TRUE(segno.jump_passes.test(2));
  EXPECT_EQ(Sound("segno=\"b\"").segno, "b");
  EXPECT_EQ(Sound("coda=\"c\"").coda, "c");
  EXPECT_EQ(Sound("tocoda=\"c\"").to_coda_label, "c");
  EXPECT_TRUE(Sound("fine=\"yes\"").fine);
  EXPECT_TRUE(ReadMarks("<sound fine=\"4\"/>").marks.fine);
}

TEST(MusicXmlMarksTest, WordsOrderJumpsOnlyWhereTheySayNothingElse) {
  for (const char* words : {"D.C.", "D. C. al Fine", "da capo", "DC al Coda"}) {
    EXPECT_EQ(Words(words).jump, JumpKind::kDaCapo) << words;
  }
  for (const char* words : {"D.S.", "D. S. al Coda", "Dal Segno al Fine"}) {
    EXPECT_EQ(Words(words).jump, JumpKind::kDalSegno) << words;
  }
  EXPECT_EQ(Words("D.C. al Fine").jump_until, JumpUntil::kFine);
  EXPECT_EQ(Words("D.S. al Coda").jump_until, JumpUntil::kCoda);
  EXPECT_TRUE(Words(" Fine ").fine);
  EXPECT_TRUE(Words("To Coda").to_coda);
  EXPECT_TRUE(Words("CODA").coda.has_value());
  for (const char* words : {"dolce", "fine and mellow", "dash", "decoda"}) {
    const MeasureMarks marks = Words(words);
    EXPECT_EQ(marks.jump, JumpKind::kNone) << words;
    EXPECT_FALSE(marks.fine) << words;
    EXPECT_FALSE(marks.to_coda) << words;
  }
}

TEST(MusicXmlMarksTest, SignsSayWhereToJumpTo) {
  const auto sign = [](absl::string_view content) {
    return ReadMarks(absl::StrCat("<direction><direction-type>", content,
                                  "</direction-type></direction>"))
        .marks;
  };
  EXPECT_TRUE(sign("<segno/>").segno.has_value());
  // Beside the words, it only points there.
  EXPECT_FALSE(sign("<words>D.S.</words><segno/>").segno.has_value());
  EXPECT_TRUE(ReadMarks("<barline location=\"left\"><segno/></barline>")
                  .marks.segno.has_value());
  EXPECT_TRUE(ReadMarks("<barline><segno/></barline>").next.segno.has_value());
}

TEST(MusicXmlMarksTest, OfTwoCodaSignsTheFirstLeadsToTheLast) {
  MeasureMarks first{.coda_sign = true};
  MeasureMarks between;
  MeasureMarks last{.coda_sign = true};
  ResolveCodaSigns({&first, &between, &last});
  EXPECT_TRUE(first.to_coda);
  EXPECT_FALSE(first.coda.has_value());
  EXPECT_TRUE(last.coda.has_value());
  EXPECT_FALSE(last.to_coda);
  // A sign where the words "To Coda" are elsewhere is the coda.
  MeasureMarks words{.to_coda = true};
  MeasureMarks only{.coda_sign = true};
  ResolveCodaSigns({&words, &only});
  EXPECT_TRUE(only.coda.has_value());
}

}  // namespace
}  // namespace continuo
