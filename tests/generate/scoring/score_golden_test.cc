// SPDX-License-Identifier: Apache-2.0

// Log-likelihoods of sequences under Magenta's bundles (golden family
// "bundles").

#include <cmath>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "data/events/drums/drums.h"
#include "data/events/performance/control_source.h"
#include "generate/model/load_model.h"
#include "generate/scoring/score.h"
#include "gtest/gtest.h"
#include "tests/data/events/encoding/golden_events.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

Family FamilyNamed(const std::string& name) {
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    if (FamilyName(family) == name) return family;
  }
  ADD_FAILURE() << name << " is no family";
  return Family::kMelody;
}

std::vector<Event> EventsOf(const ModelConfig& config,
                            const nlohmann::json& sequence) {
  if (config.family == Family::kMelody) return sequence["squashed_events"];
  if (config.family == Family::kPerformance) {
    return testing::PerformanceEventsFromJson(sequence["events"]);
  }
  DrumTrack track;
  track.hits = testing::DrumHitsFromJson(sequence["events"]);
  return DrumTrackToEvents(DrumClassesOf(config.encoding), track);
}

// Control values hold for the whole of a sequence.
std::unique_ptr<EventEncoder> EncoderOf(const ModelConfig& config,
                                        const nlohmann::json& sequence) {
  if (!config.encoding.controls.any()) return MakeEventEncoder(config.encoding);
  const nlohmann::json& golden = sequence["control_values"];
  ControlValues values;
  values.notes_per_second = golden[0];
  for (size_t i = 0; i < values.pitch_class_histogram.size(); ++i) {
    values.pitch_class_histogram[i] = golden[1][i];
  }
  return MakeEventEncoder(
      config.encoding,
      std::make_shared<ControlTrack>(std::vector<ControlValues>{values}));
}

TEST(ScoreGoldenTest, LogLikelihoodsEqualMagentas) {
  ThreadPool pool(2);
  const std::string root = testing::GoldenDir("bundles");
  int cases = 0;
  for (const std::string& file : testing::ListFiles(root, ".mag")) {
    SCOPED_TRACE(file);
    const std::string path = root + "/" + file;
    const nlohmann::json golden =
        testing::MustReadJson(path.substr(0, path.size() - 4) + ".json");
    // Magenta cannot score with a batch of more than one.
    if (golden["hparams"]["batch_size"] != 1) {
      std::cout << "[  SKIPPED ] " << file << "\n";
      continue;
    }
    const Family family = FamilyNamed(golden["config"][0]);
    ModelSource source;
    source.bundle_file = path;
    const auto model = LoadModel(source, family, {.device = {}, .pool = &pool});
    ASSERT_TRUE(model.ok()) << model.status();
    int scored = 0;
    for (const auto& golden_sequence : golden["log_likelihoods"]) {
      const std::vector<std::vector<Event>> sequences(
          3, EventsOf(model->config, golden_sequence));
      const auto encoder = EncoderOf(model->config, golden_sequence);
      const double want = golden_sequence["log_likelihood"];
      for (int max_rows : {1, 2, 100}) {
        const auto found =
            LogLikelihoods(*model->rnn, *encoder, sequences, max_rows);
        ASSERT_TRUE(found.ok()) << found.status();
        for (double value : *found) {
          EXPECT_NEAR(value, want, 1e-4 * std::abs(want));
        }
      }
      ++scored;
    }
    EXPECT_GT(scored, 0);
    ++cases;
  }
  if (cases == 0 && testing::GoldenDirIsForeign()) GTEST_SKIP();
  EXPECT_GT(cases, 0) << "no bundle in " << root;
}

}  // namespace
}  // namespace continuo
