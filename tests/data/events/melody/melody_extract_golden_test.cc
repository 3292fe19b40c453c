// SPDX-License-Identifier: Apache-2.0

// Melodies of the `midi` golden sequences, with the settings of the dataset
// and of the generation commands.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/events/melody/melody_extract.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using nlohmann::json;
using tensorflow::magenta::NoteSequence;
using testing::GoldenDir;

// The lower bound of the bucket that `bars` falls in, as Magenta names it.
std::string Bucket(int64_t bars, int min_bars) {
  const std::vector<int> bounds = {
      0,   1,   10,  20,           30,       40,           50,
      100, 200, 500, min_bars / 2, min_bars, min_bars + 1, min_bars - 1};
  int best = -1;
  for (int bound : bounds) {
    if (bound <= bars && bound > best) best = bound;
  }
  return absl::StrCat(best);
}

void CheckExtraction(const NoteSequence& piece,
                     const MelodyExtractOptions& options, const json& golden) {
  const auto extraction = ExtractMelodies(piece, options);
  ASSERT_TRUE(extraction.ok()) << extraction.status();
  if (golden.contains("error")) {
    EXPECT_EQ(golden["error"], "NonIntegerStepsPerBarError");
    EXPECT_TRUE(extraction->non_integer_steps_per_bar);
    EXPECT_TRUE(extraction->melodies.empty());
    return;
  }
  EXPECT_FALSE(extraction->non_integer_steps_per_bar);
  const json& want = golden["ok"]["melodies"];
  ASSERT_EQ(extraction->melodies.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    const Melody& melody = extraction->melodies[i];
    EXPECT_EQ(melody.events, want[i]["events"].get<std::vector<Event>>());
    EXPECT_EQ(melody.start_step, want[i]["start_step"]);
    EXPECT_EQ(melody.end_step(), want[i]["end_step"]);
    EXPECT_EQ(melody.steps_per_bar, want[i]["steps_per_bar"]);
    EXPECT_EQ(melody.steps_per_quarter, want[i]["steps_per_quarter"]);
  }
  const json& stats = golden["ok"]["stats"];
  EXPECT_EQ(extraction->polyphonic_tracks_discarded,
            stats["polyphonic_tracks_discarded"]);
  EXPECT_EQ(extraction->melodies_discarded_too_short,
            stats["melodies_discarded_too_short"]);
  EXPECT_EQ(extraction->melodies_discarded_too_few_pitches,
            stats["melodies_discarded_too_few_pitches"]);
  EXPECT_EQ(extraction->melodies_discarded_too_long,
            stats["melodies_discarded_too_long"]);
  EXPECT_EQ(extraction->melodies_truncated, stats["melodies_truncated"]);
  std::map<std::string, int> histogram;
  for (int64_t bars : extraction->lengths_in_bars) {
    ++histogram[Bucket(bars, options.min_bars)];
  }
  EXPECT_EQ(json(histogram), stats["melody_lengths_in_bars"].is_null()
                                 ? json::object()
                                 : stats["melody_lengths_in_bars"]);
}

TEST(MelodyExtractGoldenTest, MidiFamily) {
  int pieces = 0;
  for (const std::string& kind : testing::ListFolders(GoldenDir("midi"))) {
    const std::string dir = GoldenDir("midi/" + kind);
    for (const std::string& file : testing::ListFiles(dir, ".json")) {
      const json info = testing::MustReadJson(dir + "/" + file);
      if (!info.contains("time_change_pieces")) continue;  // unreadable source
      const json& golden = info["time_change_pieces"];
      const std::string name = file.substr(0, file.size() - 5);
      SCOPED_TRACE(dir + "/" + name);
      NoteSequence sequence;
      ASSERT_TRUE(sequence.ParseFromString(
          testing::MustRead(dir + "/" + name + ".ns.pb")));
      auto parts = SplitOnTimeChanges(sequence);
      ASSERT_TRUE(parts.ok()) << parts.status();
      ASSERT_EQ(parts->size(), golden.size());
      for (size_t i = 0; i < golden.size(); ++i) {
        SCOPED_TRACE(i);
        NoteSequence& piece = (*parts)[i];
        const json& want = golden[i];
        EXPECT_EQ(piece.subsequence_info().start_time_offset(),
                  testing::JsonNumber(want["start_time_offset"]));
        EXPECT_EQ(piece.subsequence_info().end_time_offset(),
                  testing::JsonNumber(want["end_time_offset"]));
        EXPECT_EQ(piece.total_time(), testing::JsonNumber(want["total_time"]));
        EXPECT_EQ(piece.notes_size(), want["notes"]);
        const absl::Status status = QuantizeMetric(4, &piece);
        ASSERT_TRUE(status.ok()) << status;
        EXPECT_EQ(piece.total_quantized_steps(), want["total_quantized_steps"]);
        CheckExtraction(piece, TrainingMelodyOptions(),
                        want["melodies_dataset"]);
        CheckExtraction(piece, PrimingMelodyOptions(),
                        want["melodies_generate"]);
        ++pieces;
      }
    }
  }
  if (pieces == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no midi family";
  }
  EXPECT_GT(pieces, 0);
}

}  // namespace
}  // namespace continuo
