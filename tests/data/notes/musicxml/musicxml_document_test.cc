// SPDX-License-Identifier: Apache-2.0

// The XML layer: encodings, entities, nesting, limits, numbers.

#include "data/notes/musicxml/musicxml_document.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlScoreOf;

std::string Named(absl::string_view declaration, absl::string_view name) {
  return absl::StrCat(
      declaration,
      "<score-partwise><part-list><score-part id=\"P1\"><part-name>", name,
      "</part-name></score-part></part-list>",
      XmlPart("P1", XmlMeasure(XmlC4(1))), "</score-partwise>");
}

std::string PartName(absl::string_view xml) {
  const auto sequence = MustReadMusicXml(xml);
  return sequence.part_infos().empty() ? "" : sequence.part_infos(0).name();
}

// ASCII text and Latin-1 characters as UTF-16.
std::string Utf16(absl::string_view latin_1, bool big_endian) {
  std::string wide = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : latin_1) {
    if (big_endian) wide.push_back('\0');
    wide.push_back(c);
    if (!big_endian) wide.push_back('\0');
  }
  return wide;
}

TEST(MusicXmlDocumentTest, EncodingsOfTheDeclarationAndTheByteOrderMark) {
  const std::string name = "Fl\u00f6te";
  EXPECT_EQ(PartName(Named("", name)), name);
  EXPECT_EQ(PartName(absl::StrCat("\xEF\xBB\xBF", Named("", name))), name);
  EXPECT_EQ(PartName(Named("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
                           "Fl\xF6te")),
            name);
  for (const bool big_endian : {false, true}) {
    EXPECT_EQ(
        PartName(Utf16(
            Named("<?xml version=\"1.0\" encoding=\"UTF-16\"?>", "Fl\xF6te"),
            big_endian)),
        name);
  }
}

TEST(MusicXmlDocumentTest, MislabelledBytesAreTakenAsLatin1) {
  EXPECT_EQ(
      PartName(Named("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "Fl\xF6te")),
      "Fl\u00f6te");
  EXPECT_EQ(PartName(Named("", "\xED\xA0\x80")), "\u00ed\u00a0\u0080");
}

TEST(MusicXmlDocumentTest, TextRunsToTheFirstElement) {
  EXPECT_EQ(PartName(Named("", "Pi<!-- not -->a<?x y?>n<![CDATA[o<2]]>")),
            "Piano<2");
  EXPECT_EQ(PartName(Named("", "A<b>c</b>d")), "A");
}

TEST(MusicXmlDocumentTest, EntitiesAreNotExpanded) {
  std::string bomb = "<!DOCTYPE x [<!ENTITY e0 \"lol\">";
  for (int i = 1; i < 30; ++i) {
    absl::StrAppend(&bomb, "<!ENTITY e", i, " \"&e", i - 1, ";&e", i - 1,
                    ";\">");
  }
  absl::StrAppend(&bomb, "]>");
  EXPECT_EQ(PartName(Named(bomb, "&e29;")), "&e29;");
  const std::string file =
      "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>";
  EXPECT_EQ(PartName(Named(file, "&f;&amp;&#65;")), "&f;&A");
}

TEST(MusicXmlDocumentTest, DocumentTypesAreSkippedOrRefused) {
  EXPECT_EQ(PartName(Named("<!DOCTYPE score-partwise PUBLIC "
                           "\"-//Recordare//DTD MusicXML 2.0 Partwise//EN\" "
                           "\"http://www.musicxml.org/dtds/partwise.dtd\">",
                           "A")),
            "A");
  std::string nested = "<!DOCTYPE x [";
  for (int i = 0; i < 100000; ++i) nested += "<![INCLUDE[<!a ";
  pugi::xml_document document;
  EXPECT_FALSE(ParseXml(nested, &document).ok());
}

TEST(MusicXmlDocumentTest, DeepNestingCostsNoStack) {
  std::string deep;
  for (int i = 0; i < 300000; ++i) deep += "<a>";
  const std::string open = deep;
  for (int i = 0; i < 300000; ++i) deep += "</a>";
  EXPECT_EQ(MustReadMusicXml(XmlScoreOf(deep + XmlC4(1))).notes_size(), 1);
  pugi::xml_document document;
  EXPECT_FALSE(ParseXml(open, &document).ok());
}

TEST(MusicXmlDocumentTest, LimitsOfSizeAndMarkup) {
  pugi::xml_document document;
  const std::string long_text(kMaxXmlBytes + 1, ' ');
  EXPECT_EQ(ParseXml(long_text, &document).code(),
            absl::StatusCode::kResourceExhausted);
  std::string elements = "<a>";
  for (int64_t i = 0; i < kMaxXmlMarkup; ++i) elements += "<b/>";
  const absl::Status status = ParseXml(elements + "</a>", &document);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(status.message(), "limit"));
}

TEST(MusicXmlDocumentTest, MalformedDocumentsNameThePlace) {
  pugi::xml_document document;
  for (const char* text :
       {"", "   ", "plain text", "<a>", "<a></b>", "<a b=c/>", "<a", "<!--",
        "<![CDATA[", "<?xml", "\xFF\xFE", "\x1F\x8B\x08"}) {
    const absl::Status status = ParseXml(text, &document);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_TRUE(absl::StrContains(status.message(), "at byte")) << status;
  }
}

TEST(MusicXmlDocumentTest, Numbers) {
  const auto millionths = [](absl::string_view text) {
    pugi::xml_document document;
    const std::string xml = absl::StrCat("<a>", text, "</a>");
    EXPECT_TRUE(ParseXml(xml, &document).ok());
    ScoreRepair repair;
    auto value = XmlMillionths(document.child("a"), "a", &repair);
    EXPECT_EQ(repair.text(), value.ok() && absl::StrContains(text, '.')
                                 ? "a decimal number"
                                 : "");
    return value;
  };
  EXPECT_EQ(*millionths("4"), 4'000'000);
  EXPECT_EQ(*millionths("\n -4.25 "), -4'250'000);
  EXPECT_EQ(*millionths("+.5"), 500'000);
  EXPECT_EQ(*millionths("1."), 1'000'000);
  EXPECT_EQ(*millionths("0.12345678901234567890"), 123'456);
  EXPECT_EQ(*millionths("1000000000"), 1'000'000'000'000'000);
  for (const char* text :
       {"", " ", ".", "-", "1e3", "0x10", "1 2", "1000000001",
        "999999999999999999999999", "nan", "--1"}) {
    EXPECT_EQ(millionths(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
  ScoreRepair repair;
  EXPECT_EQ(XmlInteger({}, "octave", &repair).status().message(),
            "no <octave>");
}

}  // namespace
}  // namespace continuo
