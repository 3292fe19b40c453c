// SPDX-License-Identifier: Apache-2.0

// Operations on melodies against `event_sequences/melodies.json`.

#include <optional>
#include <string>
#include <vector>

#include "data/events/melody/melody.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using nlohmann::json;

using Events = std::vector<Event>;

class MelodyGoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string path =
        testing::GoldenDir("event_sequences/melodies.json");
    if (testing::ListFiles(testing::GoldenDir("event_sequences"),
                           "melodies.json")
            .empty()) {
      if (testing::GoldenDirIsForeign()) GTEST_SKIP() << "no " << path;
      FAIL() << path << " is missing";
    }
    golden_ = testing::MustReadJson(path);
    ASSERT_FALSE(golden_.empty());
  }

  static void CheckSquash(const json& entry, const std::string& key,
                          int min_note, int max_note, std::optional<int> to) {
    ASSERT_TRUE(entry.contains(key)) << key;
    auto events = entry["events"].get<Events>();
    const int amount =
        SquashEvents(min_note, max_note, to, absl::MakeSpan(events));
    EXPECT_EQ(amount, entry[key]["amount"]) << key;
    EXPECT_EQ(events, entry[key]["events"].get<Events>()) << key;
  }

  json golden_;
};

TEST_F(MelodyGoldenTest, KeysAndHistograms) {
  for (const json& entry : golden_) {
    const auto events = entry["events"].get<Events>();
    const std::array<int, 12> counts = PitchClassCounts(events);
    const std::array<int, 12> scores = MajorKeyScores(counts);
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(counts[i], testing::JsonNumber(entry["note_histogram"][i]));
      EXPECT_EQ(scores[i],
                testing::JsonNumber(entry["major_key_histogram"][i]));
    }
    EXPECT_EQ(MajorKey(events), entry["major_key"]);
  }
}

TEST_F(MelodyGoldenTest, Squash) {
  for (const json& entry : golden_) {
    SCOPED_TRACE(entry["events"].dump());
    CheckSquash(entry, "squash_48_84_key0", 48, 84, 0);
    CheckSquash(entry, "squash_48_84_none", 48, 84, std::nullopt);
    CheckSquash(entry, "squash_60_72_key7", 60, 72, 7);
    CheckSquash(entry, "squash_0_128_none", 0, 128, std::nullopt);

    auto events = entry["events"].get<Events>();
    const int amount = SquashEvents(48, 84, 0, absl::MakeSpan(events));
    TransposeEvents(-amount, 0, 128, absl::MakeSpan(events));
    EXPECT_EQ(events, entry["squash_48_84_key0_then_back"].get<Events>());
  }
}

TEST_F(MelodyGoldenTest, SetLength) {
  for (const json& entry : golden_) {
    for (const auto& [key, value] : entry.items()) {
      const std::string prefix = "set_length_";
      if (key.rfind(prefix, 0) != 0) continue;
      Melody melody{.events = entry["events"].get<Events>()};
      const int change = std::stoi(key.substr(prefix.size()));
      SetMelodyLength(static_cast<int64_t>(melody.events.size()) + change,
                      &melody);
      EXPECT_EQ(melody.events, value.get<Events>()) << key;
    }
  }
}

TEST_F(MelodyGoldenTest, ToSequence) {
  for (const json& entry : golden_) {
    ASSERT_TRUE(entry.contains("to_sequence"));
    const json& want = entry["to_sequence"];
    const Melody melody{.events = entry["events"].get<Events>(),
                        .start_step = entry["start_step"]};
    const double qpm = testing::JsonNumber(want["tempos"][0][1]);
    const auto sequence = MelodyToSequence(melody, {.qpm = qpm});
    EXPECT_EQ(sequence.total_time(), testing::JsonNumber(want["total_time"]));
    EXPECT_EQ(sequence.ticks_per_quarter(), want["ticks_per_quarter"]);
    ASSERT_EQ(sequence.tempos_size(), 1);
    EXPECT_EQ(sequence.tempos(0).time(), 0);
    EXPECT_EQ(sequence.tempos(0).qpm(), qpm);
    ASSERT_EQ(sequence.notes_size(), static_cast<int>(want["notes"].size()));
    for (int i = 0; i < sequence.notes_size(); ++i) {
      const auto& note = sequence.notes(i);
      const json& golden = want["notes"][i];
      EXPECT_EQ(note.start_time(), testing::JsonNumber(golden[0]));
      EXPECT_EQ(note.end_time(), testing::JsonNumber(golden[1]));
      EXPECT_EQ(note.pitch(), golden[2]);
      EXPECT_EQ(note.velocity(), golden[3]);
      EXPECT_EQ(note.instrument(), golden[4]);
      EXPECT_EQ(note.program(), golden[5]);
      EXPECT_FALSE(note.is_drum());
    }
  }
}

}  // namespace
}  // namespace continuo
