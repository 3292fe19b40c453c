// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_marks.h"

#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(AbcMarksTest, NamesInAnyCaseWithAnyDots) {
  for (const char* text : {"D.C.", "dc", "D. C.", "DaCapo", "da capo", "D.C"}) {
    EXPECT_EQ(ParseAbcMark(text), AbcMark::kDaCapo) << text;
  }
  EXPECT_EQ(ParseAbcMark("D.C. al Fine"), AbcMark::kDaCapoAlFine);
  EXPECT_EQ(ParseAbcMark("D.S.alcoda"), AbcMark::kDalSegnoAlCoda);
  EXPECT_EQ(ParseAbcMark("Segno"), AbcMark::kSegno);
  EXPECT_EQ(ParseAbcMark("dacoda"), AbcMark::kToCoda);
  EXPECT_EQ(ParseAbcMark("Fine"), AbcMark::kFine);
}

TEST(AbcMarksTest, OtherTextIsNone) {
  for (const std::string& text :
       {std::string(), std::string("trill"), std::string("A"),
        std::string("fine tune"), std::string(100000, '.')}) {
    EXPECT_EQ(ParseAbcMark(text), AbcMark::kNone);
  }
}

}  // namespace
}  // namespace continuo
