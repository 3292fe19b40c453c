// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/drums_continuation.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/drums/drums.h"
#include "data/events/drums/drums_extract.h"
#include "data/notes/quantize.h"
#include "generate/requests/sections.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

class DrumsContinuation : public Continuation {
 public:
  DrumsContinuation(DrumTrack track, const DrumClasses& classes,
                    const Section& section)
      : track_(std::move(track)),
        classes_(classes),
        primer_(DrumTrackToEvents(classes, track_)),
        num_events_(section.end_step - track_.end_step()),
        qpm_(section.qpm),
        end_time_(section.end_time) {}

  const std::vector<Event>& primer() const override { return primer_; }
  int64_t num_events() const override { return num_events_; }

  absl::StatusOr<NoteSequence> Finish(
      std::vector<Event> events) const override {
    DrumTrack track = track_;
    for (size_t i = primer_.size(); i < events.size(); ++i) {
      track.hits.push_back(DrumEventToHit(classes_, events[i]));
    }
    NoteSequence sequence = DrumTrackToSequence(track, {.qpm = qpm_});
    // The end step was rounded down, so this is arithmetic gone wrong.
    CONTINUO_CHECK(sequence.total_time() - end_time_ <= 1e-5);
    return sequence;
  }

 private:
  DrumTrack track_;
  const DrumClasses& classes_;
  std::vector<Event> primer_;
  int64_t num_events_;
  double qpm_;
  double end_time_;
};

// Pitches of no class stay in the outputs, but the network sees none of them.
void WarnOfUnknownDrums(const DrumClasses& classes, const DrumTrack& track) {
  DrumHit unknown;
  for (const DrumHit& hit : track.hits) unknown |= hit;
  for (const std::vector<int>& pitches : classes) {
    for (int pitch : pitches) unknown.reset(static_cast<size_t>(pitch));
  }
  if (unknown.none()) return;
  std::string pitches;
  for (size_t pitch = 0; pitch < unknown.size(); ++pitch) {
    if (!unknown.test(pitch)) continue;
    absl::StrAppend(&pitches, pitches.empty() ? "" : ", ", pitch);
  }
  LogWarn("primer: the network does not know the drums ", pitches,
          "; they stay in the outputs, but it does not hear them");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Continuation>> MakeDrumsContinuation(
    const NoteSequence& input, const GeneratorOptions& options,
    const ModelConfig& config) {
  CONTINUO_ASSIGN_OR_RETURN(
      const Section section,
      ResolveQuantizedSection(input, options, config.steps_per_quarter));
  DrumsExtractOptions extract = PrimingDrumsOptions();
  extract.search_start_step = section.search_start_step;
  CONTINUO_ASSIGN_OR_RETURN(DrumsExtraction extraction,
                            ExtractDrumTracks(section.primer, extract));
  const double steps_per_bar = StepsPerBar(section.primer);
  if (extraction.non_integer_steps_per_bar) {
    return BarsNotWhole(steps_per_bar, config.steps_per_quarter);
  }
  DrumTrack track;
  if (!extraction.drum_tracks.empty()) {
    // Silence never ends a primer, so there is one track at most.
    CONTINUO_CHECK(extraction.drum_tracks.size() == 1);
    track = std::move(extraction.drum_tracks[0]);
  } else {
    track = SilentPrimer<DrumTrack>(section, steps_per_bar,
                                    config.steps_per_quarter);
  }
  WarnOfUnknownDrums(DrumClassesOf(config.encoding), track);
  CONTINUO_RETURN_IF_ERROR(ExtendPrimer(
      section, track.start_step,
      [&track](int64_t steps) { SetDrumTrackLength(steps, &track); }));
  return std::make_unique<DrumsContinuation>(
      std::move(track), DrumClassesOf(config.encoding), section);
}

}  // namespace continuo
