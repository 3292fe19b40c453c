// SPDX-License-Identifier: Apache-2.0

// Music from random numbers that the data set pipelines of all families accept,
// for tests over all configurations.

#ifndef CONTINUO_TESTS_TESTING_FAMILY_MUSIC_H_
#define CONTINUO_TESTS_TESTING_FAMILY_MUSIC_H_

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/dataset/drums_pipeline.h"
#include "data/events/dataset/melody_pipeline.h"
#include "data/events/dataset/performance_pipeline.h"
#include "data/proto/music.pb.h"
#include "models/config/config.h"
#include "runtime/base/random.h"

namespace continuo::testing {

// The configurations of all families.
inline std::vector<ModelConfig> AllConfigs() {
  std::vector<ModelConfig> all;
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    const std::vector<ModelConfig>& configs = Configs(family);
    all.insert(all.end(), configs.begin(), configs.end());
  }
  return all;
}

// The pipeline of the *_create_dataset command; performances neither stretched
// nor transposed.
inline std::unique_ptr<DatasetPipeline> MakePipeline(
    const ModelConfig& config) {
  switch (config.family) {
    case Family::kMelody:
      return MakeMelodyPipeline(
          {.encoding = config.encoding,
           .steps_per_quarter = config.steps_per_quarter});
    case Family::kDrums:
      return MakeDrumsPipeline({.encoding = config.encoding,
                                .steps_per_quarter = config.steps_per_quarter});
    case Family::kPerformance:
      break;
  }
  return MakePerformancePipeline({.encoding = config.encoding,
                                  .stretch_factors = {1},
                                  .transpositions = {0}});
}

// Piece `number`: 8 to 15 bars; one voice with repeated bars, drum patterns of
// up to three drums, or chords with varying velocities off any grid.
inline tensorflow::magenta::NoteSequence MakeMusic(Family family, int number) {
  tensorflow::magenta::NoteSequence music;
  music.set_id(absl::StrCat("piece_", number));
  music.set_filename(absl::StrCat("piece_", number, ".mid"));
  int draws = 0;
  const auto below = [&](int bound) {
    return static_cast<int>(
        RandomBelow(static_cast<uint64_t>(number), RandomPurpose::kSample,
                    static_cast<uint64_t>(family), ++draws, bound));
  };
  const auto add = [&](int pitch, double start, double end) {
    auto* note = music.add_notes();
    note->set_pitch(pitch);
    note->set_velocity(40 + below(80));
    note->set_start_time(start);
    note->set_end_time(end);
    note->set_is_drum(family == Family::kDrums);
    if (family == Family::kDrums) note->set_instrument(9);
    if (end > music.total_time()) music.set_total_time(end);
  };
  const int bars = 8 + below(8);
  if (family == Family::kPerformance) {
    for (double time = 0; time < 2.0 * bars; time += 0.013 * (1 + below(40))) {
      for (int notes = 1 + below(3); notes > 0; --notes) {
        add(30 + below(60), time, time + 0.01 * (1 + below(90)));
      }
    }
    return music;
  }
  std::vector<int> bar(8);
  for (int i = 0; i < 8 * bars; ++i) {
    // Half of the bars repeat the one before, for the repeat classes.
    if (i % 8 == 0 && below(2) == 0) {
      for (int& pitch : bar) pitch = below(5) == 0 ? -1 : 52 + below(28);
    }
    const double time = 0.25 * i;
    if (family == Family::kMelody) {
      if (bar[i % 8] >= 0) add(bar[i % 8], time, time + 0.125 * (1 + below(2)));
      continue;
    }
    if (i % 2 == 0) add(i % 4 == 0 ? 36 : 38, time, time + 0.1);
    if (bar[i % 8] >= 60) add(42 + bar[i % 8] % 8, time, time + 0.1);
  }
  return music;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_FAMILY_MUSIC_H_
