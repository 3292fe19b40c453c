// SPDX-License-Identifier: Apache-2.0

// MusicXML scores that say more than notes, and damaged ones: every file in the
// folders tests/cases/musicxml_*, with a .json of its name that says what it is
// about and what "standard" and "magenta" readings should give:
//   notes            "pitch@start-end ..." part by part, in seconds
//   tempos           "qpm@time ..."
//   time_signatures  "4/4@time ..."
//   keys             "tonic@time ...", "9m" for A minor
//   warnings         kind to count
//   repair           the start of what Magenta stumbles over, "" for nothing

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using ::continuo::testing::CasesDir;
using ::continuo::testing::Keys;
using ::continuo::testing::ListFiles;
using ::continuo::testing::ListFolders;
using ::continuo::testing::MustRead;
using ::continuo::testing::MustReadJson;
using ::continuo::testing::Notes;
using ::continuo::testing::Tempos;
using ::continuo::testing::TimeSignatures;
using ::nlohmann::json;

void ExpectReading(const std::string& score, Reading reading,
                   const json& expected) {
  ReadReport report;
  const auto sequence = ReadMusicXml(score, {reading}, &report);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_EQ(Notes(*sequence), expected["notes"].get<std::string>());
  EXPECT_EQ(Tempos(*sequence), expected["tempos"].get<std::string>());
  EXPECT_EQ(TimeSignatures(*sequence),
            expected["time_signatures"].get<std::string>());
  EXPECT_EQ(Keys(*sequence), expected["keys"].get<std::string>());
  EXPECT_EQ(json(report.warnings), expected["warnings"]);
  const auto repair = expected["repair"].get<std::string>();
  EXPECT_EQ(report.repair.empty(), repair.empty()) << report.repair;
  EXPECT_TRUE(absl::StartsWith(report.repair, repair)) << report.repair;
}

TEST(MusicXmlCasesTest, EveryCaseReadsAsItShould) {
  int cases = 0;
  for (const std::string& folder : ListFolders(CasesDir())) {
    if (!absl::StartsWith(folder, "musicxml_")) continue;
    const std::string dir = CasesDir(folder);
    for (const std::string& file : ListFiles(dir, ".json")) {
      SCOPED_TRACE(absl::StrCat(folder, "/", file));
      const json expected = MustReadJson(absl::StrCat(dir, "/", file));
      const std::string score =
          MustRead(absl::StrCat(dir, "/", absl::StripSuffix(file, ".json")));
      ++cases;
      ExpectReading(score, Reading::kStandard, expected["standard"]);
      if (!expected.contains("magenta")) continue;
      ExpectReading(score, Reading::kMagenta, expected["magenta"]);
    }
  }
  EXPECT_GT(cases, 0) << "no cases in " << CasesDir();
}

}  // namespace
}  // namespace continuo
