// SPDX-License-Identifier: Apache-2.0

// Reads the MIDI files of a folder tree named by CONTINUO_DATA_DIR, whose
// expected.json files say what Magenta and other readers make of them; skipped
// without it, since the files are not ours to copy.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "data/notes/convert/sha1.h"
#include "data/notes/midi/midi_reader.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using ::continuo::testing::MustRead;
using ::continuo::testing::MustReadJson;
using ::tensorflow::magenta::NoteSequence;

// Milliseconds of a time rounded to microseconds, as the digests have them.
int64_t Milliseconds(double seconds) {
  const double rounded =
      std::strtod(absl::StrFormat("%.6f", seconds).c_str(), nullptr);
  return static_cast<int64_t>(rounded * 1000 + 0.5);
}

// SHA-1 of the sorted lines "start end pitch velocity instrument program drum".
std::string NotesDigest(const NoteSequence& sequence) {
  std::vector<std::array<int64_t, 7>> notes;
  for (const auto& note : sequence.notes()) {
    notes.push_back({Milliseconds(note.start_time()),
                     Milliseconds(note.end_time()), note.pitch(),
                     note.velocity(), note.instrument(), note.program(),
                     note.is_drum()});
  }
  std::sort(notes.begin(), notes.end());
  std::vector<std::string> lines;
  for (const auto& note : notes) lines.push_back(absl::StrJoin(note, " "));
  return Sha1Hex(absl::StrJoin(lines, "\n"));
}

void ExpectEqual(const NoteSequence& sequence, const nlohmann::json& expected) {
  EXPECT_EQ(sequence.notes_size(), expected["notes"].get<int>());
  EXPECT_EQ(NotesDigest(sequence), expected["notes_sha1"].get<std::string>());
  EXPECT_NEAR(sequence.total_time(), expected["total_time"].get<double>(),
              1e-6);
  EXPECT_EQ(sequence.ticks_per_quarter(),
            expected["ticks_per_quarter"].get<int>());
  EXPECT_EQ(sequence.pitch_bends_size(), expected["pitch_bends"].get<int>());
  EXPECT_EQ(sequence.control_changes_size(),
            expected["control_changes"].get<int>());
  EXPECT_EQ(sequence.tempos_size(), expected["n_tempos"].get<int>());
  EXPECT_EQ(sequence.time_signatures_size(),
            expected["n_time_signatures"].get<int>());
  int i = 0;
  for (const auto& tempo : expected["tempos"]) {
    if (i == sequence.tempos_size()) break;
    EXPECT_NEAR(sequence.tempos(i).time(), tempo[0].get<double>(), 1e-6);
    EXPECT_NEAR(sequence.tempos(i).qpm(), tempo[1].get<double>(), 1e-6);
    ++i;
  }
  i = 0;
  for (const auto& key : expected["key_signatures"]) {
    ASSERT_LT(i, sequence.key_signatures_size());
    EXPECT_EQ(sequence.key_signatures(i).key(), key[1].get<int>());
    EXPECT_EQ(sequence.key_signatures(i).mode(), key[2].get<int>());
    ++i;
  }
}

struct Counts {
  int equal = 0;
  int repaired = 0;
  int rejected = 0;
  int read_elsewhere = 0;  // rejected by Magenta, read by symusic
  int of_those_read = 0;
  int by_standard = 0;  // read by the standard reading
  int different = 0;    // other than by Magenta's
};

// Where the readings differ, Magenta's says so.
void CompareReadings(const std::string& bytes, const std::string& path,
                     const absl::StatusOr<NoteSequence>& magenta,
                     const ReadReport& report, Counts* counts) {
  const auto standard = ReadMidi(bytes, {Reading::kStandard});
  EXPECT_EQ(standard.ok(), magenta.ok());
  if (!standard.ok() || !magenta.ok()) return;
  ++counts->by_standard;
  if (standard->SerializeAsString() == magenta->SerializeAsString()) return;
  ++counts->different;
  EXPECT_TRUE(absl::StrContains(report.WarningText(), "as Magenta does"));
  std::printf("%s: %s\n", path.c_str(), report.WarningText().c_str());
}

void CheckFile(const std::string& path, const nlohmann::json& expected,
               Counts* counts) {
  ReadReport report;
  const std::string bytes = MustRead(path);
  const auto sequence = ReadMidi(bytes, {Reading::kMagenta}, &report);
  CompareReadings(bytes, path, sequence, report, counts);
  if (expected["note_seq"]["status"] == "ok") {
    ++counts->equal;
    ASSERT_TRUE(sequence.ok()) << sequence.status();
    EXPECT_EQ(report.repair, "");
    ExpectEqual(*sequence, expected["note_seq"]);
    return;
  }
  const std::string message =
      sequence.ok() ? absl::StrCat(sequence->notes_size(),
                                   " notes, repaired: ", report.repair)
                    : std::string(sequence.status().message());
  std::printf("%s: %s; other readers: %s, %s\n", path.c_str(), message.c_str(),
              expected["mido"].dump().c_str(),
              expected["symusic"].dump().c_str());
  if (expected["symusic"].value("notes", 0) > 0) {
    ++counts->read_elsewhere;
    counts->of_those_read += sequence.ok();
  }
  if (sequence.ok()) {
    ++counts->repaired;
    EXPECT_NE(report.repair, "");
  } else {
    ++counts->rejected;
  }
}

TEST(MidiDataTest, ReadsWhatMagentaReadsAndMore) {
  const char* root = std::getenv("CONTINUO_DATA_DIR");
  if (root == nullptr) GTEST_SKIP() << "CONTINUO_DATA_DIR is not set";
  Counts counts;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().filename() != "expected.json") continue;
    const std::string dir = entry.path().parent_path().string();
    const nlohmann::json expected = MustReadJson(entry.path().string());
    for (const auto& [name, file] : expected.items()) {
      const std::string lower = absl::AsciiStrToLower(name);
      if (!absl::EndsWith(lower, ".mid") && !absl::EndsWith(lower, ".midi") &&
          !absl::EndsWith(lower, ".rmi")) {
        continue;
      }
      SCOPED_TRACE(name);
      CheckFile(absl::StrCat(dir, "/", name), file, &counts);
    }
  }
  std::printf(
      "%d equal to Magenta; of those it rejects %d read, "
      "%d rejected; symusic reads %d of them, continuo %d of these; by the "
      "standard reading %d read, %d of them differ\n",
      counts.equal, counts.repaired, counts.rejected, counts.read_elsewhere,
      counts.of_those_read, counts.by_standard, counts.different);
  EXPECT_GT(counts.equal, 0);
  EXPECT_EQ(counts.of_those_read, counts.read_elsewhere);
}

}  // namespace
}  // namespace continuo
