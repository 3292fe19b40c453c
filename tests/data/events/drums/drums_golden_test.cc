// SPDX-License-Identifier: Apache-2.0

// Drum tracks and their encoders against the golden data.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/drums/drums.h"
#include "data/events/drums/drums_extract.h"
#include "data/events/encoder_table.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "tests/data/events/encoding/golden_events.h"
#include "tests/testing/dense.h"
#include "tests/testing/golden.h"
#include "tests/testing/npy.h"

namespace continuo {
namespace {

using nlohmann::json;
using tensorflow::magenta::NoteSequence;
using testing::DrumHitsFromJson;
using testing::GoldenDir;
using testing::MustReadJson;

constexpr char kFamily[] = "encodings/drums_rnn";

TEST(DrumsGoldenTest, Encodings) {
  const std::vector<std::string> names =
      testing::ListFolders(GoldenDir(kFamily));
  if (names.empty() && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no " << kFamily;
  }
  int cases = 0;
  for (const std::string& name : names) {
    const std::string folder = GoldenDir(kFamily) + "/" + name;
    const json golden = MustReadJson(folder + "/config.json");
    const auto config = FindConfig(Family::kDrums, name);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->id, golden["id"].get<std::string>());
    EXPECT_EQ(config->description, golden["description"].get<std::string>());
    EXPECT_EQ(config->steps_per_quarter, golden["steps_per_quarter"]);
    EXPECT_EQ(config->hparams.rnn_layer_sizes,
              golden["hparams"]["rnn_layer_sizes"].get<std::vector<int>>());
    EXPECT_EQ(config->hparams.attn_length, golden["hparams"]["attn_length"]);
    EXPECT_EQ(config->hparams.clip_norm, golden["hparams"]["clip_norm"]);
    EXPECT_EQ(config->hparams.batch_size, golden["hparams"]["batch_size"]);
    EXPECT_EQ(config->hparams.dropout_keep_prob,
              golden["hparams"]["dropout_keep_prob"]);
    const auto encoder = MakeEventEncoder(config->encoding);
    const DrumClasses& classes = DrumClassesOf(config->encoding);
    EXPECT_EQ(encoder->input_size(), golden["input_size"]);
    EXPECT_EQ(encoder->num_classes(), golden["num_classes"]);
    EXPECT_EQ(encoder->default_label()[0], golden["default_event_label"]);

    const std::vector<DrumHit> table = DrumHitsFromJson(golden["class_table"]);
    ASSERT_EQ(static_cast<int>(table.size()), encoder->num_classes());
    for (size_t label = 0; label < table.size(); ++label) {
      EXPECT_EQ(DrumEventToHit(classes, encoder->DecodeLabel(
                                            {static_cast<int64_t>(label)}, {})),
                table[label]);
    }

    for (const std::string& file : testing::ListFiles(folder, ".json")) {
      if (file == "config.json") continue;
      const std::string base = folder + "/" + file.substr(0, file.size() - 5);
      SCOPED_TRACE(base);
      ++cases;
      const json want = MustReadJson(base + ".json");
      DrumTrack track;
      track.hits = DrumHitsFromJson(want["events"]);
      const std::vector<Event> events = DrumTrackToEvents(classes, track);
      const int n = static_cast<int>(events.size());
      SparseRows rows;
      ASSERT_TRUE(encoder->EncodeInputs(events, 0, n, &rows).ok());
      testing::CheckSorted(rows);
      EXPECT_EQ(testing::Dense(rows),
                testing::MustReadNpy(base + ".inputs.npy").floats);
      const std::vector<int64_t> labels =
          testing::MustReadNpy(base + ".labels.npy").ints;
      ASSERT_EQ(static_cast<int>(labels.size()), n - 1);
      const std::vector<DrumHit> decoded = DrumHitsFromJson(want["decoded"]);
      for (int i = 1; i < n; ++i) {
        int64_t label = -1;
        ASSERT_TRUE(encoder->EncodeLabel(events, i, {&label, 1}).ok());
        EXPECT_EQ(label, labels[i - 1]);
        EXPECT_EQ(DrumEventToHit(classes,
                                 encoder->DecodeLabel(
                                     {label}, absl::MakeSpan(events).first(i))),
                  decoded[i - 1]);
      }
      if (n >= 2) {
        EXPECT_EQ(encoder->LabelsToNumSteps(labels),
                  want["labels_to_num_steps"]);
      }
    }
  }
  EXPECT_GT(cases, 0);
}

TEST(DrumsGoldenTest, Tracks) {
  const std::string dir = GoldenDir("event_sequences");
  if (testing::ListFiles(dir, "drum_tracks.json").empty()) {
    if (testing::GoldenDirIsForeign()) GTEST_SKIP() << "no drum_tracks";
    FAIL() << dir << " lacks drum_tracks.json";
  }
  const json golden = MustReadJson(dir + "/drum_tracks.json");
  ASSERT_FALSE(golden.empty());
  for (const json& entry : golden) {
    SCOPED_TRACE(entry["events"].dump());
    DrumTrack track;
    track.hits = DrumHitsFromJson(entry["events"]);
    track.start_step = entry["start_step"];
    const double qpm = testing::JsonNumber(entry["qpm"]);
    const NoteSequence sequence = DrumTrackToSequence(track, {.qpm = qpm});
    const json& want = entry["to_sequence"];
    EXPECT_EQ(sequence.total_time(), testing::JsonNumber(want["total_time"]));
    EXPECT_EQ(sequence.ticks_per_quarter(), want["ticks_per_quarter"]);
    EXPECT_EQ(sequence.tempos(0).qpm(), qpm);
    ASSERT_EQ(sequence.notes_size(), static_cast<int>(want["notes"].size()));
    for (int i = 0; i < sequence.notes_size(); ++i) {
      const NoteSequence::Note& note = sequence.notes(i);
      const json& golden_note = want["notes"][i];
      EXPECT_EQ(note.start_time(), testing::JsonNumber(golden_note[0]));
      EXPECT_EQ(note.end_time(), testing::JsonNumber(golden_note[1]));
      EXPECT_EQ(note.pitch(), golden_note[2]);
      EXPECT_EQ(note.velocity(), golden_note[3]);
      EXPECT_EQ(note.instrument(), golden_note[4]);
      EXPECT_EQ(note.program(), golden_note[5]);
      EXPECT_TRUE(note.is_drum());
    }
    SetDrumTrackLength(static_cast<int64_t>(track.hits.size()) + 5, &track);
    EXPECT_EQ(track.hits, DrumHitsFromJson(entry["set_length_+5"]));
  }
}

void CheckExtraction(const NoteSequence& piece,
                     const DrumsExtractOptions& options, const json& golden) {
  const auto extraction = ExtractDrumTracks(piece, options);
  ASSERT_TRUE(extraction.ok()) << extraction.status();
  if (golden.contains("error")) {
    EXPECT_EQ(golden["error"], "NonIntegerStepsPerBarError");
    EXPECT_TRUE(extraction->non_integer_steps_per_bar);
    return;
  }
  EXPECT_FALSE(extraction->non_integer_steps_per_bar);
  const json& want = golden["ok"]["drum_tracks"];
  ASSERT_EQ(extraction->drum_tracks.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    const DrumTrack& track = extraction->drum_tracks[i];
    EXPECT_EQ(track.hits, DrumHitsFromJson(want[i]["events"]));
    EXPECT_EQ(track.start_step, want[i]["start_step"]);
    EXPECT_EQ(track.end_step(), want[i]["end_step"]);
    EXPECT_EQ(track.steps_per_bar, want[i]["steps_per_bar"]);
    EXPECT_EQ(track.steps_per_quarter, want[i]["steps_per_quarter"]);
  }
  const json& stats = golden["ok"]["stats"];
  EXPECT_EQ(extraction->drum_tracks_discarded_too_short,
            stats["drum_tracks_discarded_too_short"]);
  EXPECT_EQ(extraction->drum_tracks_discarded_too_long,
            stats["drum_tracks_discarded_too_long"]);
  EXPECT_EQ(extraction->drum_tracks_truncated, stats["drum_tracks_truncated"]);
}

TEST(DrumsGoldenTest, Extraction) {
  int pieces = 0;
  for (const std::string& kind : testing::ListFolders(GoldenDir("midi"))) {
    const std::string dir = GoldenDir("midi/" + kind);
    for (const std::string& file : testing::ListFiles(dir, ".json")) {
      const json info = MustReadJson(dir + "/" + file);
      if (!info.contains("time_change_pieces")) continue;  // unreadable source
      const std::string name = file.substr(0, file.size() - 5);
      SCOPED_TRACE(dir + "/" + name);
      NoteSequence sequence;
      ASSERT_TRUE(sequence.ParseFromString(
          testing::MustRead(dir + "/" + name + ".ns.pb")));
      auto parts = SplitOnTimeChanges(sequence);
      ASSERT_TRUE(parts.ok()) << parts.status();
      const json& golden = info["time_change_pieces"];
      ASSERT_EQ(parts->size(), golden.size());
      for (size_t i = 0; i < golden.size(); ++i) {
        SCOPED_TRACE(i);
        ASSERT_TRUE(QuantizeMetric(4, &(*parts)[i]).ok());
        CheckExtraction((*parts)[i], TrainingDrumsOptions(),
                        golden[i]["drum_tracks_dataset"]);
        CheckExtraction((*parts)[i], PrimingDrumsOptions(),
                        golden[i]["drum_tracks_generate"]);
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
