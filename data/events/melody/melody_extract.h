// SPDX-License-Identifier: Apache-2.0

// Extraction of melodies from a quantized NoteSequence (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_MELODY_MELODY_EXTRACT_H_
#define CONTINUO_DATA_EVENTS_MELODY_MELODY_EXTRACT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "data/events/melody/melody.h"
#include "data/proto/music.pb.h"

namespace continuo {

struct MelodyExtractOptions {
  int64_t search_start_step = 0;  // earlier notes are ignored
  int min_bars = 7;               // shorter melodies are dropped
  std::optional<int64_t> max_steps_truncate = 512;
  std::optional<int64_t> max_steps_discard = std::nullopt;
  double gap_bars = 1;         // silence that ends a melody
  int min_unique_pitches = 5;  // pitch classes, after truncation
  // Of notes that start together keep the highest; otherwise they end the
  // search in that instrument.
  bool ignore_polyphonic_notes = false;
  bool filter_drums = true;
};

// The settings of the dataset pipeline: the defaults above.
MelodyExtractOptions TrainingMelodyOptions();
// The settings for a primer: anything counts, silence does not end it, the
// highest of several notes is kept.
MelodyExtractOptions PrimingMelodyOptions();

struct MelodyExtraction {
  std::vector<Melody> melodies;

  // Bars are no whole number of steps: nothing is extracted nor counted.
  bool non_integer_steps_per_bar = false;
  int64_t polyphonic_tracks_discarded = 0;
  int64_t melodies_discarded_too_short = 0;
  int64_t melodies_discarded_too_few_pitches = 0;
  int64_t melodies_discarded_too_long = 0;
  int64_t melodies_truncated = 0;
  std::vector<int64_t> lengths_in_bars;  // whole bars of each melody kept
};

// Melodies longer than this are refused where nothing truncates them.
inline constexpr int64_t kMaxMelodySteps = int64_t{1} << 24;

// The melodies of each instrument, by ascending instrument number. `quantized`
// comes from QuantizeMetric. Notes that do not end after they start are
// ignored. ResourceExhausted for a melody of more than kMaxMelodySteps.
absl::StatusOr<MelodyExtraction> ExtractMelodies(
    const tensorflow::magenta::NoteSequence& quantized,
    const MelodyExtractOptions& options);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_MELODY_MELODY_EXTRACT_H_
