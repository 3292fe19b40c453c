// SPDX-License-Identifier: Apache-2.0

// Performances against the golden data: extraction, lengths, notes.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/events/performance/performance.h"
#include "data/events/performance/performance_extract.h"
#include "data/notes/quantize.h"
#include "data/notes/sustain.h"
#include "gtest/gtest.h"
#include "tests/data/events/encoding/golden_events.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using nlohmann::json;
using tensorflow::magenta::NoteSequence;
using testing::GoldenDir;
using testing::MustReadJson;
using testing::PerformanceEventsFromJson;

std::optional<json> EventSequences(const std::string& file) {
  const std::string dir = GoldenDir("event_sequences");
  if (!testing::ListFiles(dir, file).empty()) {
    return MustReadJson(dir + "/" + file);
  }
  EXPECT_TRUE(testing::GoldenDirIsForeign()) << dir << " lacks " << file;
  return std::nullopt;
}

void CheckNotes(const NoteSequence& sequence, const json& want) {
  EXPECT_EQ(sequence.total_time(), testing::JsonNumber(want["total_time"]));
  EXPECT_EQ(sequence.ticks_per_quarter(), want["ticks_per_quarter"]);
  EXPECT_EQ(sequence.tempos_size(), 0);
  ASSERT_EQ(sequence.notes_size(), static_cast<int>(want["notes"].size()));
  for (int i = 0; i < sequence.notes_size(); ++i) {
    const NoteSequence::Note& note = sequence.notes(i);
    const json& golden = want["notes"][i];
    EXPECT_EQ(note.start_time(), testing::JsonNumber(golden[0]));
    EXPECT_EQ(note.end_time(), testing::JsonNumber(golden[1]));
    EXPECT_EQ(note.pitch(), golden[2]);
    EXPECT_EQ(note.velocity(), golden[3]);
    EXPECT_EQ(note.instrument(), golden[4]);
    EXPECT_EQ(note.program(), golden[5]);
    EXPECT_EQ(note.is_drum(), golden[6] == 1);
  }
}

TEST(PerformanceGoldenTest, EventSequences) {
  const auto golden = EventSequences("performances.json");
  if (!golden.has_value()) GTEST_SKIP() << "no performances.json";
  int lengths = 0;
  int extracted = 0;
  for (const json& entry : *golden) {
    SCOPED_TRACE(entry["events"].dump());
    Performance performance;
    performance.events = PerformanceEventsFromJson(entry["events"]);
    performance.start_step = entry["start_step"];
    performance.num_velocity_bins = entry["num_velocity_bins"];
    EXPECT_EQ(PerformanceSteps(performance), entry["num_steps"]);

    if (entry.contains("quantized_notes")) {
      NoteSequence sequence;
      for (const json& note : entry["quantized_notes"]) {
        NoteSequence::Note* added = sequence.add_notes();
        added->set_quantized_start_step(note[0]);
        added->set_quantized_end_step(note[1]);
        added->set_pitch(note[2]);
        added->set_velocity(note[3]);
        added->set_start_time(testing::JsonNumber(note[4]));
      }
      const auto extraction = ExtractPerformance(
          sequence, {.start_step = performance.start_step,
                     .num_velocity_bins = performance.num_velocity_bins});
      ASSERT_TRUE(extraction.ok()) << extraction.status();
      EXPECT_EQ(extraction->performance->events, performance.events);
      ++extracted;
    }
    CheckNotes(PerformanceToSequence(performance), entry["to_sequence"]);
    for (const auto& [key, value] : entry.items()) {
      const std::string cut = "to_sequence_max_note_duration_";
      const std::string length = "set_length_";
      if (key.rfind(cut, 0) == 0) {
        CheckNotes(PerformanceToSequence(
                       performance, {.max_note_duration =
                                         std::stod(key.substr(cut.size()))}),
                   value);
      } else if (key.rfind(length, 0) == 0) {
        const int64_t steps = std::stoll(key.substr(length.size()));
        Performance changed = performance;
        SetPerformanceLength(steps, &changed);
        EXPECT_EQ(changed.events, PerformanceEventsFromJson(value));
        EXPECT_EQ(PerformanceSteps(changed), steps);
        ++lengths;
      }
    }
  }
  EXPECT_GT(lengths, 0);
  EXPECT_GT(extracted, 0);
}

TEST(PerformanceGoldenTest, VelocityBins) {
  const auto golden = EventSequences("velocity_bins.json");
  if (!golden.has_value()) GTEST_SKIP() << "no velocity_bins.json";
  ASSERT_FALSE(golden->empty());
  for (const auto& [key, value] : golden->items()) {
    const int bins = std::stoi(key);
    for (int velocity = 1; velocity <= 127; ++velocity) {
      EXPECT_EQ(VelocityToBin(velocity, bins),
                value["velocity_to_bin"][velocity - 1]);
    }
    for (size_t bin = 1; bin <= value["bin_to_velocity"].size(); ++bin) {
      EXPECT_EQ(VelocityOfBin(static_cast<int>(bin), bins),
                value["bin_to_velocity"][bin - 1]);
    }
  }
}

void CheckExtraction(const NoteSequence& quantized,
                     PerformanceExtractOptions options, const json& golden) {
  const json& stats = golden["stats"];
  if (stats["performances_truncated"] == 1) {
    options.max_events_truncate = golden["performances"][0]["events"].size();
  }
  const auto extraction = ExtractPerformance(quantized, options);
  ASSERT_TRUE(extraction.ok()) << extraction.status();
  EXPECT_EQ(extraction->performances_truncated,
            stats["performances_truncated"]);
  EXPECT_EQ(extraction->performances_discarded_more_than_1_program,
            stats["performances_discarded_more_than_1_program"]);
  EXPECT_EQ(extraction->performance_discarded_too_many_time_shift_steps,
            stats["performance_discarded_too_many_time_shift_steps"]);
  EXPECT_EQ(extraction->performance_discarded_too_many_duration_steps,
            stats["performance_discarded_too_many_duration_steps"]);
  ASSERT_EQ(extraction->performance.has_value(),
            golden["performances"].size() == 1);
  if (!extraction->performance.has_value()) return;
  const Performance& performance = *extraction->performance;
  const json& want = golden["performances"][0];
  EXPECT_EQ(performance.events, PerformanceEventsFromJson(want["events"]));
  EXPECT_EQ(PerformanceSteps(performance), want["num_steps"]);
  EXPECT_EQ(performance.program.has_value(), !want["program"].is_null());
  if (performance.program.has_value()) {
    EXPECT_EQ(*performance.program, want["program"]);
  }
  EXPECT_EQ(performance.is_drum.has_value(), !want["is_drum"].is_null());
  if (performance.is_drum.has_value()) {
    EXPECT_EQ(*performance.is_drum, want["is_drum"]);
  }
}

TEST(PerformanceGoldenTest, Extraction) {
  const std::map<std::string, PerformanceExtractOptions> kinds = {
      {"no_velocity", {}},
      {"velocity_32", {.num_velocity_bins = 32}},
      {"note_32", {.num_velocity_bins = 32, .note_tuples = true}}};
  int checked = 0;
  for (const std::string& kind : testing::ListFolders(GoldenDir("midi"))) {
    const std::string dir = GoldenDir("midi/" + kind);
    for (const std::string& file : testing::ListFiles(dir, ".json")) {
      const json info = MustReadJson(dir + "/" + file);
      if (!info.contains("performances")) continue;  // unreadable source
      const std::string name = file.substr(0, file.size() - 5);
      SCOPED_TRACE(dir + "/" + name);
      NoteSequence sequence;
      ASSERT_TRUE(sequence.ParseFromString(
          testing::MustRead(dir + "/" + name + ".ns.pb")));
      ApplySustain(&sequence);
      ASSERT_TRUE(QuantizeAbsolute(100, &sequence).ok());
      for (const auto& [key, value] : info["performances"].items()) {
        SCOPED_TRACE(key);
        ASSERT_TRUE(kinds.count(key) == 1 && value.contains("ok"));
        CheckExtraction(sequence, kinds.at(key), value["ok"]);
        ++checked;
      }
    }
  }
  if (checked == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no midi family";
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace continuo
