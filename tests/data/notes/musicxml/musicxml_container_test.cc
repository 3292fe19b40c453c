// SPDX-License-Identifier: Apache-2.0

// Compressed MusicXML: finding the score, and hostile archives.

#include "data/notes/musicxml/musicxml_container.h"

#include <zip.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlScoreOf;

struct ZipEntry {
  std::string name;
  std::string contents;
  bool encrypt = false;
};

// A deflated archive of `entries`.
std::string Zip(const std::vector<ZipEntry>& entries) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* memory = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_t* archive = zip_open_from_source(memory, ZIP_TRUNCATE, &error);
  EXPECT_NE(archive, nullptr);
  zip_source_keep(memory);
  for (const ZipEntry& entry : entries) {
    zip_source_t* contents = zip_source_buffer(archive, entry.contents.data(),
                                               entry.contents.size(), 0);
    const zip_int64_t index =
        zip_file_add(archive, entry.name.c_str(), contents, ZIP_FL_ENC_GUESS);
    EXPECT_GE(index, 0);
    if (entry.encrypt) {
      EXPECT_EQ(zip_file_set_encryption(archive, index, ZIP_EM_AES_128, "pw"),
                0);
    }
  }
  EXPECT_EQ(zip_close(archive), 0) << zip_strerror(archive);
  zip_stat_t stat;
  EXPECT_EQ(zip_source_stat(memory, &stat), 0);
  std::string bytes(stat.size, '\0');
  EXPECT_EQ(zip_source_open(memory), 0);
  EXPECT_EQ(zip_source_read(memory, bytes.data(), bytes.size()),
            static_cast<zip_int64_t>(bytes.size()));
  zip_source_close(memory);
  zip_source_free(memory);
  return bytes;
}

absl::StatusOr<std::string> Extract(absl::string_view bytes,
                                    std::string* repair = nullptr) {
  ScoreRepair found;
  auto score = ExtractMusicXml(bytes, &found);
  if (repair != nullptr) *repair = found.text();
  return score;
}

std::string Container(absl::string_view root_files) {
  return absl::StrCat("<?xml version=\"1.0\"?><container><rootfiles>",
                      root_files, "</rootfiles></container>");
}

std::string RootFile(absl::string_view path, absl::string_view type = "") {
  return absl::StrCat(
      "<rootfile full-path=\"", path, "\"",
      type.empty() ? "" : absl::StrCat(" media-type=\"", type, "\""), "/>");
}

constexpr char kMusicXml[] = "application/vnd.recordare.musicxml+xml";
constexpr char kContainer[] = "META-INF/container.xml";

// What is found in an archive of files whose contents are "in NAME" besides
// the container.
std::string Found(const std::vector<std::string>& names,
                  absl::string_view container) {
  std::vector<ZipEntry> entries;
  if (!container.empty()) {
    entries.push_back({kContainer, std::string(container)});
  }
  for (const std::string& name : names) {
    entries.push_back({name, absl::StrCat("in ", name)});
  }
  const auto score = Extract(Zip(entries));
  return score.ok() ? *score : std::string(score.status().message());
}

TEST(MusicXmlContainerTest, ReadsTheScoreThatTheContainerNames) {
  EXPECT_EQ(Found({"b.xml", "a.xml"}, Container(RootFile("a.xml"))),
            "in a.xml");
  EXPECT_EQ(Found({"b.xml", "a.musicxml"},
                  Container(RootFile("b.xml", "image/png") +
                            RootFile("a.musicxml", kMusicXml))),
            "in a.musicxml");
  // The first of several is the score, others are its parts.
  EXPECT_EQ(Found({"a.xml", "b.xml"}, Container(RootFile("b.xml", kMusicXml) +
                                                RootFile("a.xml", kMusicXml))),
            "in b.xml");
  EXPECT_EQ(Found({"\u00ce\u00f1.xml", "b.xml"},
                  Container(RootFile("\u00ce\u00f1.xml"))),
            "in \u00ce\u00f1.xml");
}

TEST(MusicXmlContainerTest, WithoutAUsableContainerTheOnlyScoreIsIt) {
  EXPECT_EQ(Found({"a.xml", "cover.png", "__MACOSX/._a.xml"}, ""), "in a.xml");
  EXPECT_EQ(Found({"a.xml"}, "<container><rootfiles>"), "in a.xml");
  EXPECT_EQ(Found({"It's.MusicXML"},
                  "<container><rootfiles><rootfile full-path='It's.MusicXML'/>"
                  "</rootfiles></container>"),
            "in It's.MusicXML");
  EXPECT_EQ(Found({"a.xml"}, Container(RootFile("moved.xml"))), "in a.xml");
  EXPECT_EQ(Found({"a.xml"}, Container("")), "in a.xml");
  EXPECT_TRUE(absl::StrContains(Found({"a.xml", "b.xml"}, ""),
                                "an archive with several scores: "));
  EXPECT_TRUE(
      absl::StrContains(Found({"a.png"}, ""), "an archive without a score: "));
}

TEST(MusicXmlContainerTest, RepairsAreNamed) {
  const auto repair = [](absl::string_view container) {
    std::string text;
    EXPECT_TRUE(Extract(Zip({{kContainer, std::string(container)},
                             {"a.xml", "score"},
                             {"b.png", "picture"}}),
                        &text)
                    .ok());
    return text;
  };
  EXPECT_EQ(repair(Container(RootFile("a.xml"))), "");
  EXPECT_EQ(
      repair(Container(RootFile("a.xml") + RootFile("b.png", "image/png"))),
      "");
  EXPECT_EQ(repair(Container(RootFile("a.xml") + RootFile("a.xml"))),
            "an archive with several scores");
  EXPECT_EQ(repair("<container"), "an archive whose container names no score");
}

TEST(MusicXmlContainerTest, ReadsScores) {
  const std::string zip = Zip({{kContainer, Container(RootFile("s.xml"))},
                               {"s.xml", XmlScoreOf(XmlC4(1))}});
  EXPECT_TRUE(IsZipArchive(zip));
  EXPECT_EQ(MustReadMusicXml(zip).notes_size(), 1);
  EXPECT_FALSE(IsZipArchive(XmlScoreOf("")));
}

TEST(MusicXmlContainerTest, RefusesEncryptedScores) {
  const auto score =
      Extract(Zip({{.name = "a.xml", .contents = "secret", .encrypt = true}}));
  EXPECT_EQ(score.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(
      absl::StrContains(score.status().message(), "an encrypted score: "));
}

TEST(MusicXmlContainerTest, RefusesZipBombsAsDeclaredAndAsUnpacked) {
  const std::string bomb =
      Zip({{.name = "a.xml", .contents = std::string(kMaxXmlBytes + 1, 'x')}});
  ASSERT_LT(bomb.size(), kMaxXmlBytes / 100);
  EXPECT_EQ(Extract(bomb).status().code(),
            absl::StatusCode::kResourceExhausted);
  // The same with a declared size of 1 byte, in both headers. It may be
  // refused for the wrong size as well; it must not be unpacked beyond it.
  std::string true_size;
  for (int shift = 0; shift < 32; shift += 8) {
    true_size.push_back(static_cast<char>((kMaxXmlBytes + 1) >> shift));
  }
  const std::string liar =
      absl::StrReplaceAll(bomb, {{true_size, std::string("\1\0\0\0", 4)}});
  ASSERT_NE(liar, bomb);
  const auto score = Extract(liar);
  EXPECT_FALSE(score.ok());
}

TEST(MusicXmlContainerTest, RefusesImpossibleEntryCounts) {
  // A zip64 end record and its locator that claim 2^40 files.
  const auto number = [](uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) {
      text.push_back(static_cast<char>(value >> (8 * i)));
    }
    return text;
  };
  const uint64_t count = uint64_t{1} << 40;
  std::string zip = "PK\x03\x04";
  const size_t record = zip.size();
  zip += "PK\x06\x06" + number(44, 8) + number(45, 2) + number(45, 2) +
         number(0, 4) + number(0, 4) + number(count, 8) + number(count, 8) +
         number(0, 8) + number(0, 8);
  zip += "PK\x06\x07" + number(0, 4) + number(record, 8) + number(1, 4);
  zip += "PK\x05\x06" + number(0, 2) + number(0, 2) + number(0xFFFF, 2) +
         number(0xFFFF, 2) + number(0xFFFFFFFF, 4) + number(0xFFFFFFFF, 4) +
         number(0, 2);
  const auto score = Extract(zip);
  EXPECT_TRUE(absl::StrContains(score.status().message(),
                                "more files than it can hold"))
      << score.status();
}

TEST(MusicXmlContainerTest, DamageAnywhereIsAnErrorOrHarmless) {
  const std::string xml = XmlScoreOf(XmlC4(1));
  const std::string zip =
      Zip({{kContainer, Container(RootFile("s.xml"))}, {"s.xml", xml}});
  int read = 0;
  for (size_t i = 0; i < zip.size(); ++i) {
    std::string cut = zip.substr(0, i);
    EXPECT_FALSE(Extract(cut).ok()) << i;
    std::string flipped = zip;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
    const auto score = Extract(flipped);
    if (score.ok()) {
      ++read;  // a time stamp, or the container's part of the archive
      EXPECT_EQ(*score, xml) << i;
    }
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace continuo
