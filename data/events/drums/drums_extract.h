// SPDX-License-Identifier: Apache-2.0

// Extraction of drum tracks from a quantized NoteSequence
// (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_DRUMS_DRUMS_EXTRACT_H_
#define CONTINUO_DATA_EVENTS_DRUMS_DRUMS_EXTRACT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "data/events/drums/drums.h"
#include "data/proto/music.pb.h"

namespace continuo {

struct DrumsExtractOptions {
  int64_t search_start_step = 0;  // earlier notes are ignored
  int min_bars = 7;               // shorter tracks are dropped
  std::optional<int64_t> max_steps_truncate = 512;
  std::optional<int64_t> max_steps_discard = std::nullopt;
  double gap_bars = 1;          // silence that ends a track
  bool ignore_is_drum = false;  // pitched notes count, too
};

// The settings of the dataset pipeline: the defaults above.
DrumsExtractOptions TrainingDrumsOptions();
// The settings for a primer: any note counts, silence does not end it.
DrumsExtractOptions PrimingDrumsOptions();

struct DrumsExtraction {
  std::vector<DrumTrack> drum_tracks;

  // Bars are no whole number of steps: nothing is extracted nor counted.
  bool non_integer_steps_per_bar = false;
  int64_t drum_tracks_discarded_too_short = 0;
  int64_t drum_tracks_discarded_too_long = 0;
  int64_t drum_tracks_truncated = 0;
  std::vector<int64_t> lengths_in_bars;  // whole bars of each track kept
};

// Tracks longer than this are refused where nothing truncates them.
inline constexpr int64_t kMaxDrumTrackSteps = int64_t{1} << 22;

// The drum tracks over all instruments together, one after another in time.
// `quantized` comes from QuantizeMetric. ResourceExhausted for a track of more
// than kMaxDrumTrackSteps.
absl::StatusOr<DrumsExtraction> ExtractDrumTracks(
    const tensorflow::magenta::NoteSequence& quantized,
    const DrumsExtractOptions& options);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DRUMS_DRUMS_EXTRACT_H_
