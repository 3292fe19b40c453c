// SPDX-License-Identifier: Apache-2.0

#include "data/events/drums/drums_extract.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/notes/quantize.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Hits by step. Only steps with hits are held, so that hostile lengths cost no
// memory.
std::map<int64_t, DrumHit> HitsByStep(const NoteSequence& sequence,
                                      const DrumsExtractOptions& options) {
  std::map<int64_t, DrumHit> hits;
  for (const NoteSequence::Note& note : sequence.notes()) {
    if (!note.is_drum() && !options.ignore_is_drum) continue;
    if (note.velocity() == 0) continue;
    if (note.quantized_start_step() < options.search_start_step) continue;
    // Pitches that no reader produces; Magenta fails on them.
    if (note.pitch() < 0 || note.pitch() >= kNumDrumPitches) continue;
    hits[note.quantized_start_step()].set(static_cast<size_t>(note.pitch()));
  }
  return hits;
}

}  // namespace

DrumsExtractOptions TrainingDrumsOptions() { return {}; }

DrumsExtractOptions PrimingDrumsOptions() {
  DrumsExtractOptions options;
  options.min_bars = 0;
  options.max_steps_truncate = std::nullopt;
  options.gap_bars = std::numeric_limits<double>::infinity();
  options.ignore_is_drum = true;
  return options;
}

absl::StatusOr<DrumsExtraction> ExtractDrumTracks(
    const NoteSequence& quantized, const DrumsExtractOptions& options) {
  DrumsExtraction out;
  const double bar = StepsPerBar(quantized);
  if (bar != std::floor(bar)) {
    out.non_integer_steps_per_bar = true;
    return out;
  }
  const auto steps_per_bar = static_cast<int64_t>(bar);
  const double gap = options.gap_bars * bar;
  const std::map<int64_t, DrumHit> hits = HitsByStep(quantized, options);
  int64_t search_start = options.search_start_step;
  auto first = hits.begin();
  while (first != hits.end()) {
    // A track starts with the bar of its first hit and ends with its last hit.
    const int64_t start =
        first->first - (first->first - search_start) % steps_per_bar;
    auto last = first;
    auto next = std::next(first);
    while (next != hits.end() &&
           static_cast<double>(next->first - last->first - 1) < gap) {
      last = next++;
    }
    const int64_t end = last->first + 1;
    const auto track_first = first;

    // The next search starts on the bar line at or after the track's end.
    const int64_t beyond = (end - options.search_start_step) % steps_per_bar;
    search_start = end + (beyond == 0 ? 0 : steps_per_bar - beyond);
    first = hits.lower_bound(search_start);

    int64_t length = end - start;
    if (length < steps_per_bar * options.min_bars) {
      ++out.drum_tracks_discarded_too_short;
      continue;
    }
    if (options.max_steps_discard.has_value() &&
        length > *options.max_steps_discard) {
      ++out.drum_tracks_discarded_too_long;
      continue;
    }
    if (options.max_steps_truncate.has_value() &&
        length > *options.max_steps_truncate) {
      length = *options.max_steps_truncate;
      ++out.drum_tracks_truncated;
    }
    if (length > kMaxDrumTrackSteps) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "a drum track of ", length, " steps is longer than the limit of ",
          kMaxDrumTrackSteps));
    }
    DrumTrack track{
        .hits = std::vector<DrumHit>(static_cast<size_t>(length)),
        .start_step = start,
        .steps_per_bar = steps_per_bar,
        .steps_per_quarter = quantized.quantization_info().steps_per_quarter()};
    for (auto hit = track_first; hit != next && hit->first - start < length;
         ++hit) {
      track.hits[static_cast<size_t>(hit->first - start)] = hit->second;
    }
    out.lengths_in_bars.push_back(length / steps_per_bar);
    out.drum_tracks.push_back(std::move(track));
  }
  return out;
}

}  // namespace continuo
