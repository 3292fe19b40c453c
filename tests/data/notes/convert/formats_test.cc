// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/formats.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"
#include "tests/testing/midi_bytes.h"

namespace continuo {
namespace {

using ::continuo::testing::Bytes;
using ::continuo::testing::MidiFile;

TEST(FormatsTest, FindsFormatsByEndingInAnyCase) {
  for (const char* name :
       {"a.mid", "A.MID", "dir.x/b.MiDi", ".mid", "a.kar", "b.RMI"}) {
    ASSERT_NE(FindNoteFormat(name), nullptr) << name;
    EXPECT_EQ(FindNoteFormat(name)->id, "midi");
  }
  ASSERT_NE(FindNoteFormat("tunes.ABC"), nullptr);
  EXPECT_EQ(FindNoteFormat("tunes.ABC")->id, "abc");
  for (const char* name : {"a.xml", "a.MusicXML", "a.mxl"}) {
    ASSERT_NE(FindNoteFormat(name), nullptr) << name;
    EXPECT_EQ(FindNoteFormat(name)->id, "musicxml");
  }
  for (const char* name : {"a.midx", "amid", "a.mid.txt", "abc", ""}) {
    EXPECT_EQ(FindNoteFormat(name), nullptr) << name;
  }
}

TEST(FormatsTest, ContentsTellWhereTheNameDoesNot) {
  const auto id = [](absl::string_view name, absl::string_view bytes) {
    const NoteFormat* format = FindNoteFormat(name, bytes);
    return format == nullptr ? "" : std::string(format->id);
  };
  for (const char* name : {"/dev/fd/63", "-", "tune", "tune.txt"}) {
    EXPECT_EQ(id(name, "MThd\0\0\0\6"), "midi") << name;
    EXPECT_EQ(id(name, "RIFF1234RMIDdata"), "midi") << name;
    EXPECT_EQ(id(name, "<?xml version=\"1.0\"?>"), "musicxml") << name;
    EXPECT_EQ(id(name, "PK\x03\x04"), "musicxml") << name;
    EXPECT_EQ(id(name, "X:1\nK:C\nCDE"), "abc") << name;
    EXPECT_EQ(id(name, "hello"), "") << name;
    EXPECT_EQ(id(name, ""), "") << name;
  }
  EXPECT_EQ(id("a.abc", "MThd"), "abc");
}

TEST(FormatsTest, TellsAllEndings) {
  for (const NoteFormat& format : NoteFormats()) {
    for (const absl::string_view ending : format.endings) {
      EXPECT_TRUE(absl::StrContains(NoteFormatEndings(), ending));
      EXPECT_TRUE(absl::StrContains(NoteFormatSummary(), ending));
    }
    EXPECT_TRUE(absl::StrContains(NoteFormatSummary(), format.title));
  }
}

TEST(FormatsTest, ReadsAMidiFileAsOnePiece) {
  google::protobuf::Arena arena;
  const auto items = FindNoteFormat("a.mid")->read(
      MidiFile({Bytes({0, 0x90, 60, 80, 0x60, 60, 0})}), {}, &arena);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_TRUE((*items)[0].status.ok());
  EXPECT_EQ((*items)[0].sequence->notes_size(), 1);
  EXPECT_FALSE(FindNoteFormat("a.mid")->read("junk", {}, &arena).ok());
}

TEST(FormatsTest, ReadsAScoreAsOnePiece) {
  google::protobuf::Arena arena;
  const NoteFormat* format = FindNoteFormat("a.xml");
  const std::string score = testing::XmlScoreOf(
      "<attributes><time><senza-misura/></time></attributes>" +
      testing::XmlC4(1));
  const auto items = format->read(score, {}, &arena);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ((*items)[0].sequence->notes_size(), 1);
  EXPECT_FALSE((*items)[0].report.repair.empty());
  EXPECT_FALSE(format->read("junk", {}, &arena).ok());
}

TEST(FormatsTest, ReadsABookAsTunes) {
  google::protobuf::Arena arena;
  const std::string book =
      "X:5\nT:One\nM:4/4\nL:1/4\nK:C\nCDEF|\n\n"
      "X:9\nT:Two\nM:4/4\nL:1/4\nK:C\nGABc|\n\n"
      "X:11\nT:None\nK:C\nz4|\n";
  const auto items = FindNoteFormat("a.abc")->read(book, {}, &arena);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 3u);
  EXPECT_EQ((*items)[0].index, 5);
  EXPECT_EQ((*items)[0].sequence->notes_size(), 4);
  EXPECT_EQ((*items)[1].index, 9);
  EXPECT_EQ((*items)[1].sequence->notes(0).pitch(), 67);
  EXPECT_EQ((*items)[2].index, 11);
  EXPECT_FALSE((*items)[2].status.ok());
  EXPECT_EQ((*items)[2].sequence, nullptr);
}

}  // namespace
}  // namespace continuo
