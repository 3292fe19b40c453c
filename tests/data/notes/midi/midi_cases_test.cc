// SPDX-License-Identifier: Apache-2.0

// Odd and damaged MIDI files: every file in the folders tests/cases/midi_*,
// with a .json of its name that says what is odd about it and what it should
// give by "both" readings, or by "standard" and "magenta":
//   error            the reason it is refused; or
//   repair           what Magenta stumbles over, "" where it reads the file
//   warnings         kind to count
//   notes            [start, end, pitch, velocity]
//   tempos           [time, qpm]
//   time_signatures  [time, numerator, denominator]
//   key_signatures   how many

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/convert/formats.h"
#include "google/protobuf/arena.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using ::continuo::testing::CasesDir;
using ::continuo::testing::ListFiles;
using ::continuo::testing::ListFolders;
using ::continuo::testing::MustRead;
using ::continuo::testing::MustReadJson;
using ::nlohmann::json;
using ::tensorflow::magenta::NoteSequence;

std::vector<std::vector<double>> Rows(const json& rows) {
  return rows.get<std::vector<std::vector<double>>>();
}

void ExpectRows(const std::vector<std::vector<double>>& actual,
                const json& expected) {
  const auto rows = Rows(expected);
  ASSERT_EQ(actual.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(actual[i].size(), rows[i].size());
    for (size_t j = 0; j < rows[i].size(); ++j) {
      EXPECT_NEAR(actual[i][j], rows[i][j], 1e-6) << i << ", " << j;
    }
  }
}

void ExpectSequence(const NoteSequence& sequence, const json& expected) {
  std::vector<std::vector<double>> notes;
  for (const auto& note : sequence.notes()) {
    notes.push_back({note.start_time(), note.end_time(),
                     static_cast<double>(note.pitch()),
                     static_cast<double>(note.velocity())});
  }
  ExpectRows(notes, expected["notes"]);
  std::vector<std::vector<double>> tempos;
  for (const auto& tempo : sequence.tempos()) {
    tempos.push_back({tempo.time(), tempo.qpm()});
  }
  ExpectRows(tempos, expected["tempos"]);
  std::vector<std::vector<double>> meters;
  for (const auto& meter : sequence.time_signatures()) {
    meters.push_back({meter.time(), static_cast<double>(meter.numerator()),
                      static_cast<double>(meter.denominator())});
  }
  ExpectRows(meters, expected["time_signatures"]);
  EXPECT_EQ(sequence.key_signatures_size(),
            expected["key_signatures"].get<int>());
}

void ExpectReading(const std::string& path, Reading reading,
                   const json& expected) {
  const NoteFormat* format = FindNoteFormat(path);
  ASSERT_NE(format, nullptr);
  google::protobuf::Arena arena;
  const auto items = format->read(MustRead(path), {.reading = reading}, &arena);
  if (expected.contains("error")) {
    const auto reason = expected["error"].get<std::string>();
    EXPECT_TRUE(absl::StartsWith(items.status().message(), reason))
        << items.status();
    return;
  }
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  const ReadReport& report = items->front().report;
  const auto repair = expected["repair"].get<std::string>();
  EXPECT_EQ(report.repair.empty(), repair.empty()) << report.repair;
  EXPECT_TRUE(absl::StartsWith(report.repair, repair)) << report.repair;
  EXPECT_EQ(json(report.warnings), expected["warnings"]);
  ExpectSequence(*items->front().sequence, expected);
}

TEST(MidiCasesTest, AreReadAsTheirJsonSays) {
  int num_cases = 0;
  for (const std::string& folder : ListFolders(CasesDir())) {
    if (!absl::StartsWith(folder, "midi_")) continue;
    const std::string dir = CasesDir(folder);
    for (const std::string& name : ListFiles(dir, "")) {
      if (absl::EndsWith(name, ".json")) continue;
      SCOPED_TRACE(absl::StrCat(folder, "/", name));
      const json expected = MustReadJson(
          absl::StrCat(dir, "/", name.substr(0, name.rfind('.')), ".json"));
      const bool both = expected.contains("both");
      ExpectReading(absl::StrCat(dir, "/", name), Reading::kStandard,
                    expected[both ? "both" : "standard"]);
      ExpectReading(absl::StrCat(dir, "/", name), Reading::kMagenta,
                    expected[both ? "both" : "magenta"]);
      ++num_cases;
    }
  }
  EXPECT_GT(num_cases, 0);
}

}  // namespace
}  // namespace continuo
