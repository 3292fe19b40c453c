// SPDX-License-Identifier: Apache-2.0

// Inputs, labels and classes of the published melody encoders, from the
// `encodings` golden data.

#include <memory>
#include <string>
#include <vector>

#include "data/events/encoder_table.h"
#include "data/events/encoding/event_encoder.h"
#include "data/events/melody/melody.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "tests/testing/dense.h"
#include "tests/testing/golden.h"
#include "tests/testing/npy.h"

namespace continuo {
namespace {

using nlohmann::json;
using testing::CheckSorted;
using testing::Dense;
using testing::GoldenDir;
using testing::MustReadJson;

constexpr char kFamily[] = "encodings/melody_rnn";

class EncodersGoldenTest : public ::testing::Test {
 protected:
  // The folders of the golden configurations, by name.
  static std::vector<std::string> ConfigNames() {
    return testing::ListFolders(GoldenDir(kFamily));
  }
  void SetUp() override {
    if (!ConfigNames().empty()) return;
    if (testing::GoldenDirIsForeign()) GTEST_SKIP() << "no " << kFamily;
    FAIL() << GoldenDir(kFamily) << " has no configurations";
  }
  static std::string Folder(const std::string& name) {
    return GoldenDir(kFamily) + "/" + name;
  }
  static std::unique_ptr<EventEncoder> Encoder(const std::string& name) {
    const auto config = FindConfig(Family::kMelody, name);
    EXPECT_TRUE(config.ok()) << config.status();
    return MakeEventEncoder(config->encoding);
  }
};

TEST_F(EncodersGoldenTest, SizesAndDefaults) {
  for (const std::string& name : ConfigNames()) {
    SCOPED_TRACE(name);
    const json golden = MustReadJson(Folder(name) + "/config.json");
    const auto encoder = Encoder(name);
    EXPECT_EQ(encoder->input_size(), golden["input_size"]);
    EXPECT_EQ(encoder->num_heads(), 1);
    EXPECT_EQ(encoder->num_classes(), golden["num_classes"]);
    EXPECT_EQ(encoder->default_label()[0], golden["default_event_label"]);
    EXPECT_EQ(encoder->default_event(), kMelodyNoEvent);
  }
}

TEST_F(EncodersGoldenTest, ClassTables) {
  for (const std::string& name : ConfigNames()) {
    SCOPED_TRACE(name);
    const json golden = MustReadJson(Folder(name) + "/config.json");
    const auto encoder = Encoder(name);
    const auto history =
        golden["class_table_history"].get<std::vector<Event>>();
    const json& table = golden["class_table"];
    ASSERT_EQ(static_cast<int>(table.size()), encoder->num_classes());
    for (size_t label = 0; label < table.size(); ++label) {
      EXPECT_EQ(encoder->DecodeLabel({static_cast<int64_t>(label)}, history),
                table[label].get<Event>())
          << label;
    }
  }
}

TEST_F(EncodersGoldenTest, Cases) {
  int cases = 0;
  for (const std::string& name : ConfigNames()) {
    const auto encoder = Encoder(name);
    for (const std::string& file : testing::ListFiles(Folder(name), ".json")) {
      if (file == "config.json") continue;
      const std::string base =
          Folder(name) + "/" + file.substr(0, file.size() - 5);
      SCOPED_TRACE(base);
      ++cases;
      const json golden = MustReadJson(base + ".json");
      const auto events = golden["events"].get<std::vector<Event>>();
      const auto inputs = testing::MustReadNpy(base + ".inputs.npy");
      const auto labels = testing::MustReadNpy(base + ".labels.npy");
      const int n = static_cast<int>(events.size());

      if (golden.contains("raw_events")) {
        auto melody =
            MelodyFromEvents(golden["raw_events"].get<std::vector<Event>>());
        ASSERT_TRUE(melody.ok()) << melody.status();
        EXPECT_EQ(melody->events, events);
      }

      SparseRows all;
      ASSERT_TRUE(encoder->EncodeInputs(events, 0, n, &all).ok());
      CheckSorted(all);
      EXPECT_EQ(Dense(all), inputs.floats);

      // One position at a time, as generation asks.
      SparseRows single;
      for (int i = 0; i < n; ++i) {
        ASSERT_TRUE(encoder
                        ->EncodeInputs(absl::MakeSpan(events).first(i + 1), i,
                                       i + 1, &single)
                        .ok());
      }
      EXPECT_EQ(Dense(single), inputs.floats);

      std::vector<int64_t> own_labels;
      for (int i = 1; i < n; ++i) {
        int64_t label = -1;
        ASSERT_TRUE(encoder->EncodeLabel(events, i, {&label, 1}).ok());
        own_labels.push_back(label);
        EXPECT_EQ(
            encoder->DecodeLabel({label}, absl::MakeSpan(events).first(i)),
            golden["decoded"][i - 1].get<Event>());
      }
      EXPECT_EQ(own_labels, labels.ints);
      // A single event has inputs, but makes no example.
      if (n >= 2) {
        EXPECT_EQ(encoder->LabelsToNumSteps(own_labels),
                  golden["labels_to_num_steps"]);
        EncodedSequence example;
        ASSERT_TRUE(EncodeSequence(*encoder, events, &example).ok());
        EXPECT_EQ(example.inputs.rows(), golden["encode_rows"]);
        EXPECT_EQ(example.labels, labels.ints);
      }
    }
  }
  EXPECT_GT(cases, 0);
}

// Where Magenta raises, and also where it lets a pitch run over into other
// columns or classes (key encoding), the encoder refuses.
TEST_F(EncodersGoldenTest, OutOfRange) {
  int refused = 0;
  for (const std::string& name : ConfigNames()) {
    const json golden = MustReadJson(Folder(name) + "/config.json");
    const auto encoder = Encoder(name);
    const int min_note = golden["min_note"];
    const int max_note = golden["max_note"];
    for (const json& entry : golden["out_of_range"]) {
      // Entries with "op" ask about labels outside the head, which callers may
      // not pass, and about the Melody constructor (melody_test.cc).
      if (!entry.contains("events")) continue;
      SCOPED_TRACE(name + " " + entry["events"].dump());
      const auto events = entry["events"].get<std::vector<Event>>();
      const bool fits = events[0] == -2 || events[0] == -1 ||
                        (events[0] >= min_note && events[0] < max_note);
      SparseRows rows;
      const absl::Status input = encoder->EncodeInputs(events, 0, 1, &rows);
      int64_t label = -1;
      const absl::Status labelled =
          encoder->EncodeLabel(events, 0, {&label, 1});
      if (fits) {
        ASSERT_TRUE(input.ok() && labelled.ok());
        EXPECT_EQ(label, entry["events_to_label"]["ok"]);
      } else {
        EXPECT_EQ(input.code(), absl::StatusCode::kInvalidArgument);
        EXPECT_EQ(labelled.code(), absl::StatusCode::kInvalidArgument);
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace continuo
