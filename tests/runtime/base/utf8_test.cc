// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace continuo {
namespace {

TEST(Utf8Test, KnowsUtf8) {
  for (const char* text :
       {"", "a tune", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(Utf8Test, KnowsWhatIsNone) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2g", "\xE0\x9F\xBF",
        "\xE1\x80", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF1\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "ends in \xE1"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

TEST(Utf8Test, TakesTheRestForLatin1) {
  EXPECT_EQ(Utf8OrLatin1("Fr\xC3\xBChling"), "Fr\xC3\xBChling");
  EXPECT_EQ(Utf8OrLatin1("Fr\xFChling"), "Fr\xC3\xBChling");
  EXPECT_EQ(Utf8OrLatin1("\xA7 \xC3\xBC \xFF"),
            "\xC2\xA7 \xC3\x83\xC2\xBC \xC3\xBF");
}

}  // namespace
}  // namespace continuo
