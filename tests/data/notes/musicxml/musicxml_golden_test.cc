// SPDX-License-Identifier: Apache-2.0

// MusicXML scores against Magenta: golden family midi/musicxml.

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/notes/musicxml/musicxml_reader.h"
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

TEST(MusicXmlGoldenTest, ReadsWhatMagentaReads) {
  const std::string dir = GoldenDir("midi/musicxml");
  if (GoldenDirIsForeign() && !std::filesystem::exists(dir)) {
    GTEST_SKIP() << dir << " does not exist";
  }
  int read = 0;
  int rejected = 0;
  for (const std::string& file : ListFiles(dir, ".json")) {
    SCOPED_TRACE(file);
    // "flute_scale.mxl.json" tells of the score "flute_scale.mxl".
    const std::string score =
        absl::StrCat(dir, "/", absl::StripSuffix(file, ".json"));
    const auto sequence = ReadMusicXml(MustRead(score), {Reading::kMagenta});
    if (MustReadJson(absl::StrCat(dir, "/", file)).contains("error")) {
      ++rejected;
      EXPECT_TRUE(sequence.ok() || !sequence.status().message().empty());
      continue;
    }
    ++read;
    ASSERT_TRUE(sequence.ok()) << sequence.status();
    NoteSequence expected;
    ASSERT_TRUE(expected.ParseFromString(MustRead(score + ".ns.pb")));
    // Equal in all fields, times to the last bit.
    EXPECT_EQ(sequence->SerializeAsString(), expected.SerializeAsString())
        << sequence->ShortDebugString().substr(0, 2000) << "\nexpected\n"
        << expected.ShortDebugString().substr(0, 2000);
  }
  EXPECT_GT(read, 0) << "no cases in " << dir;
  RecordProperty("read", read);
  RecordProperty("rejected_by_the_original", rejected);
}

}  // namespace
}  // namespace continuo
