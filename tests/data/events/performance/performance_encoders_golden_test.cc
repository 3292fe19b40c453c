// SPDX-License-Identifier: Apache-2.0

// Inputs, labels and classes of the performance encoders, and the control
// signals, against the golden data.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/events/encoder_table.h"
#include "data/events/performance/control_source.h"
#include "data/events/performance/controls.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "tests/data/events/encoding/golden_events.h"
#include "tests/testing/dense.h"
#include "tests/testing/golden.h"
#include "tests/testing/npy.h"

namespace continuo {
namespace {

using nlohmann::json;
using testing::GoldenDir;
using testing::MustReadJson;
using testing::PerformanceEventFromJson;
using testing::PerformanceEventsFromJson;

constexpr char kFamily[] = "encodings/performance_rnn";

PitchHistogram HistogramFromJson(const json& values) {
  PitchHistogram histogram;
  for (size_t i = 0; i < histogram.size(); ++i) {
    histogram[i] = testing::JsonNumber(values[i]);
  }
  return histogram;
}

// A golden control event holds one element per signal; optional conditioning
// puts whether they are switched off in front of their list.
ControlValues ControlsFromJson(const ControlSpec& spec, const json& event) {
  ControlValues values;
  if (spec.optional) values.disabled = event[0];
  const json& signals = spec.optional ? event[1] : event;
  size_t i = 0;
  if (spec.density) values.notes_per_second = testing::JsonNumber(signals[i++]);
  if (spec.histogram) {
    values.pitch_class_histogram = HistogramFromJson(signals[i]);
  }
  return values;
}

// The rows as files hold them.
std::vector<float> FileFloats(const EventEncoder& encoder,
                              const SparseRows& rows) {
  if (!encoder.index_inputs()) return testing::Dense(rows);
  return {rows.index.begin(), rows.index.end()};
}

void ExpectClose(const std::vector<float>& own,
                 const std::vector<float>& golden, float tolerance) {
  ASSERT_EQ(own.size(), golden.size());
  float worst = 0;
  for (size_t i = 0; i < own.size(); ++i) {
    worst = std::max(worst, std::fabs(own[i] - golden[i]));
  }
  EXPECT_LE(worst, tolerance);
}

void CheckConfig(const ModelConfig& config, const EventEncoder& encoder,
                 const json& golden) {
  EXPECT_EQ(config.id, golden["id"].get<std::string>());
  EXPECT_EQ(config.description, golden["description"].get<std::string>());
  EXPECT_EQ(config.encoding.num_velocity_bins, golden["num_velocity_bins"]);
  EXPECT_EQ(config.encoding.controls.optional, golden["optional_conditioning"]);
  EXPECT_EQ(config.hparams.rnn_layer_sizes,
            golden["hparams"]["rnn_layer_sizes"].get<std::vector<int>>());
  EXPECT_EQ(config.hparams.batch_size, golden["hparams"]["batch_size"]);
  EXPECT_EQ(config.hparams.dropout_keep_prob,
            golden["hparams"]["dropout_keep_prob"]);
  EXPECT_EQ(config.hparams.clip_norm, golden["hparams"]["clip_norm"]);
  EXPECT_EQ(encoder.index_inputs() ? 1 : encoder.input_size(),
            golden["input_size"]);
  if (golden["num_classes"].is_array()) {
    EXPECT_EQ(std::vector<int>(encoder.head_sizes().begin(),
                               encoder.head_sizes().end()),
              golden["num_classes"].get<std::vector<int>>());
    EXPECT_EQ(std::vector<int64_t>(encoder.default_label().begin(),
                                   encoder.default_label().end()),
              golden["default_event_label"].get<std::vector<int64_t>>());
    return;
  }
  ASSERT_EQ(encoder.num_heads(), 1);
  EXPECT_EQ(encoder.num_classes(), golden["num_classes"]);
  EXPECT_EQ(encoder.default_label()[0], golden["default_event_label"]);
  ASSERT_EQ(static_cast<int>(golden["class_table"].size()),
            encoder.num_classes());
  for (int64_t label = 0; label < encoder.num_classes(); ++label) {
    EXPECT_EQ(encoder.DecodeLabel({label}, {}),
              PerformanceEventFromJson(golden["class_table"][label]));
  }
}

void CheckCase(const ModelConfig& config, const std::string& base) {
  const json golden = MustReadJson(base + ".json");
  const std::vector<Event> events = PerformanceEventsFromJson(golden["events"]);
  const int n = static_cast<int>(events.size());
  const ControlSpec& spec = config.encoding.controls;
  std::shared_ptr<const ControlSource> controls;
  if (spec.any()) {
    std::vector<ControlValues> values;
    for (const json& event : golden["control"]) {
      values.push_back(ControlsFromJson(spec, event));
    }
    ASSERT_EQ(static_cast<int>(values.size()), n);
    controls = std::make_shared<ControlTrack>(std::move(values));
  }
  const auto encoder = MakeEventEncoder(config.encoding, controls);
  const float tolerance =
      spec.histogram || config.encoding.encoding == Encoding::kModuloPerformance
          ? 1e-6f
          : 0.0f;
  const auto inputs = testing::MustReadNpy(base + ".inputs.npy");
  SparseRows all;
  ASSERT_TRUE(encoder->EncodeInputs(events, 0, n, &all).ok());
  testing::CheckSorted(all);
  EXPECT_EQ(all.width, encoder->input_size());
  ExpectClose(FileFloats(*encoder, all), inputs.floats, tolerance);
  // One position at a time, as generation asks.
  SparseRows single;
  for (int i = 0; i < n; ++i) {
    ASSERT_TRUE(encoder
                    ->EncodeInputs(absl::MakeSpan(events).first(i + 1), i,
                                   i + 1, &single)
                    .ok());
  }
  EXPECT_EQ(testing::Dense(single), testing::Dense(all));

  const auto labels = testing::MustReadNpy(base + ".labels.npy");
  const int heads = encoder->num_heads();
  std::vector<int64_t> own;
  std::vector<int64_t> label(heads);
  for (int i = 1; i < n; ++i) {
    ASSERT_TRUE(encoder->EncodeLabel(events, i, absl::MakeSpan(label)).ok());
    own.insert(own.end(), label.begin(), label.end());
    EXPECT_EQ(encoder->DecodeLabel(label, absl::MakeSpan(events).first(i)),
              PerformanceEventFromJson(golden["decoded"][i - 1]));
  }
  EXPECT_EQ(own, labels.ints);
  if (n >= 2) {
    EXPECT_EQ(encoder->LabelsToNumSteps(own), golden["labels_to_num_steps"]);
  }
}

// Where Magenta lets a value run over into other classes, the encoders refuse;
// where it raises, too.
void CheckOutOfRange(const EventEncoder& encoder, const json& golden,
                     int* refused) {
  for (const json& entry : golden["out_of_range"]) {
    if (!entry.contains("events")) continue;  // constructors of Magenta
    SCOPED_TRACE(entry["events"].dump());
    const auto events = PerformanceEventsFromJson(entry["events"]);
    SparseRows rows;
    std::vector<int64_t> label(encoder.num_heads());
    const absl::Status input = encoder.EncodeInputs(events, 0, 1, &rows);
    const absl::Status labelled =
        encoder.EncodeLabel(events, 0, absl::MakeSpan(label));
    EXPECT_EQ(input.code(), labelled.code());
    if (input.ok()) {
      EXPECT_EQ(json(label.size() == 1 ? json(label[0]) : json(label)),
                entry["events_to_label"]["ok"]);
    } else {
      EXPECT_EQ(input.code(), absl::StatusCode::kInvalidArgument);
      ++*refused;
    }
  }
}

TEST(PerformanceEncodersGoldenTest, Encodings) {
  const std::vector<std::string> names =
      testing::ListFolders(GoldenDir(kFamily));
  if (names.empty() && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no " << kFamily;
  }
  int cases = 0;
  int refused = 0;
  for (const std::string& name : names) {
    const std::string folder = GoldenDir(kFamily) + "/" + name;
    SCOPED_TRACE(folder);
    const json golden = MustReadJson(folder + "/config.json");
    const auto config = FindConfig(Family::kPerformance, name);
    ASSERT_TRUE(config.ok()) << config.status();
    const auto encoder = MakeEventEncoder(config->encoding);
    CheckConfig(*config, *encoder, golden);
    CheckOutOfRange(*encoder, golden, &refused);
    for (const std::string& file : testing::ListFiles(folder, ".json")) {
      if (file == "config.json") continue;
      const std::string base = folder + "/" + file.substr(0, file.size() - 5);
      SCOPED_TRACE(base);
      CheckCase(*config, base);
      ++cases;
    }
  }
  EXPECT_GT(cases, 0);
  EXPECT_GT(refused, 0);
}

TEST(PerformanceEncodersGoldenTest, ControlSignals) {
  const std::string dir = GoldenDir("event_sequences");
  if (testing::ListFiles(dir, "control_signals.json").empty()) {
    if (testing::GoldenDirIsForeign()) GTEST_SKIP() << "no control_signals";
    FAIL() << dir << " lacks control_signals.json";
  }
  const json golden = MustReadJson(dir + "/control_signals.json");
  ASSERT_FALSE(golden.empty());
  for (const json& entry : golden) {
    const std::vector<Event> events =
        PerformanceEventsFromJson(entry["events"]);
    const std::vector<double> density = MeasureDensity(events);
    const std::vector<PitchHistogram> histogram = MeasureHistogram(events);
    ASSERT_EQ(density.size(), entry["density"].size());
    ASSERT_EQ(histogram.size(), entry["histogram"].size());
    for (size_t i = 0; i < events.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_EQ(density[i], testing::JsonNumber(entry["density"][i]));
      EXPECT_EQ(histogram[i], HistogramFromJson(entry["histogram"][i]));
      SparseRows row;
      ControlValues values;
      values.notes_per_second = density[i];
      AddControls({.density = true}, values, &row);
      ASSERT_EQ(row.index.size(), 1u);
      EXPECT_EQ(row.index[0], entry["density_label"][i]);
    }
    // The normalized histogram of every tenth event.
    for (size_t i = 0; i < entry["histogram_input"].size(); ++i) {
      SparseRows row;
      row.width = 12;
      ControlValues values;
      values.pitch_class_histogram = histogram[10 * i];
      AddControls({.histogram = true}, values, &row);
      row.EndRow();
      const std::vector<float> dense = testing::Dense(row);
      for (size_t k = 0; k < dense.size(); ++k) {
        EXPECT_NEAR(dense[k],
                    testing::JsonNumber(entry["histogram_input"][i][k]), 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace continuo
