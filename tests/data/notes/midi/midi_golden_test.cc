// SPDX-License-Identifier: Apache-2.0

// Reading and writing MIDI files against Magenta: golden family midi/midi, and
// the written files of every other sequence of family midi.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/notes/midi/midi_reader.h"
#include "data/notes/midi/midi_writer.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using ::continuo::testing::GoldenDir;
using ::continuo::testing::GoldenDirIsForeign;
using ::continuo::testing::ListFiles;
using ::continuo::testing::MustRead;
using ::continuo::testing::MustReadJson;
using ::tensorflow::magenta::NoteSequence;

NoteSequence MustReadSequence(const std::string& path) {
  NoteSequence sequence;
  EXPECT_TRUE(sequence.ParseFromString(MustRead(path))) << path;
  return sequence;
}

// True if the golden folder named by the environment lacks the family.
bool MissingElsewhere(const std::string& dir) {
  return GoldenDirIsForeign() && !std::filesystem::exists(dir);
}

TEST(MidiGoldenTest, ReadsWhatMagentaReads) {
  const std::string dir = GoldenDir("midi/midi");
  if (MissingElsewhere(dir)) GTEST_SKIP() << dir << " does not exist";
  const std::vector<std::string> files = ListFiles(dir, ".mid");
  int read = 0;
  int rejected = 0;
  for (const std::string& file : files) {
    if (absl::EndsWith(file, ".out.mid")) continue;
    SCOPED_TRACE(file);
    const std::string stem =
        absl::StrCat(dir, "/", absl::StripSuffix(file, ".mid"));
    ReadReport report;
    const std::string bytes = MustRead(absl::StrCat(dir, "/", file));
    const auto sequence = ReadMidi(bytes, {Reading::kMagenta}, &report);
    if (MustReadJson(stem + ".json").contains("error")) {
      ++rejected;
      EXPECT_TRUE(!sequence.ok() || !report.repair.empty());
      continue;
    }
    ++read;
    ASSERT_TRUE(sequence.ok()) << sequence.status();
    const NoteSequence expected = MustReadSequence(stem + ".ns.pb");
    // Equal in all fields, times to the last bit.
    EXPECT_EQ(sequence->SerializeAsString(), expected.SerializeAsString())
        << sequence->ShortDebugString().substr(0, 2000) << "\nexpected\n"
        << expected.ShortDebugString().substr(0, 2000);
    // Where the readings differ, Magenta's says so.
    const auto standard = ReadMidi(bytes, {Reading::kStandard});
    ASSERT_TRUE(standard.ok()) << standard.status();
    if (!absl::StrContains(report.WarningText(), "as Magenta does")) {
      EXPECT_TRUE(standard->SerializeAsString() ==
                  expected.SerializeAsString());
    }
  }
  EXPECT_GT(read, 0) << "no cases in " << dir;
  RecordProperty("read", read);
  RecordProperty("rejected", rejected);
}

TEST(MidiGoldenTest, WritesMagentasBytes) {
  int cases = 0;
  for (const char* family : {"midi", "abc", "musicxml"}) {
    const std::string dir = GoldenDir(absl::StrCat("midi/", family));
    for (const std::string& file : ListFiles(dir, ".ns.pb")) {
      if (absl::EndsWith(file, ".out.ns.pb")) continue;
      const std::string stem =
          absl::StrCat(dir, "/", absl::StripSuffix(file, ".ns.pb"));
      if (!std::filesystem::exists(stem + ".out.mid")) continue;
      SCOPED_TRACE(stem);
      ++cases;
      const NoteSequence sequence = MustReadSequence(stem + ".ns.pb");
      const auto written = WriteMidi(sequence);
      ASSERT_TRUE(written.ok()) << written.status();
      EXPECT_TRUE(*written == MustRead(stem + ".out.mid")) << "other bytes";
      if (!std::filesystem::exists(stem + ".out.ns.pb")) continue;
      const auto again = ReadMidi(*written, {Reading::kMagenta});
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_EQ(again->SerializeAsString(),
                MustReadSequence(stem + ".out.ns.pb").SerializeAsString());
    }
  }
  if (cases == 0 && GoldenDirIsForeign()) {
    GTEST_SKIP() << "no family midi in " << GoldenDir();
  }
  EXPECT_GT(cases, 0);
}

}  // namespace
}  // namespace continuo
