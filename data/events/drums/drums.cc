// SPDX-License-Identifier: Apache-2.0

#include "data/events/drums/drums.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr int kTicksPerQuarter = 220;

}  // namespace

absl::StatusOr<DrumTrack> DrumTrackFromPitches(
    absl::Span<const std::vector<int64_t>> steps) {
  DrumTrack track;
  track.hits.resize(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    for (int64_t pitch : steps[i]) {
      if (pitch < 0 || pitch >= kNumDrumPitches) {
        return absl::InvalidArgumentError(
            absl::StrCat("drum pitch ", pitch, " at position ", i,
                         ": expected a pitch in 0..127"));
      }
      track.hits[i].set(static_cast<size_t>(pitch));
    }
  }
  return track;
}

void SetDrumTrackLength(int64_t steps, DrumTrack* track) {
  track->hits.resize(static_cast<size_t>(steps));
}

const DrumClasses& NineDrumClasses() {
  static const auto& classes = *new DrumClasses{
      {36, 35},                                                      // bass
      {38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85},  // snare
      {42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 22},  // closed hi-hat
      {46, 67, 72, 74, 79, 81, 26},                  // open hi-hat
      {45, 29, 41, 43, 61, 64, 84},                  // low tom
      {48, 47, 60, 63, 77, 86, 87},                  // mid tom
      {50, 30, 62, 76, 83},                          // high tom
      {49, 52, 55, 57, 58},                          // crash cymbal
      {51, 53, 59, 82},                              // ride cymbal
  };
  return classes;
}

const DrumClasses& OneDrumClass() {
  static const auto& classes = *[] {
    constexpr int kHandClap = 39;
    std::vector<int> pitches = {kHandClap};
    for (int pitch = 0; pitch < kNumDrumPitches; ++pitch) {
      if (pitch != kHandClap) pitches.push_back(pitch);
    }
    return new DrumClasses{std::move(pitches)};
  }();
  return classes;
}

Event DrumHitToEvent(const DrumClasses& classes, const DrumHit& hit) {
  Event event = 0;
  if (hit.none()) return event;
  for (size_t i = 0; i < classes.size(); ++i) {
    for (int pitch : classes[i]) {
      if (hit.test(static_cast<size_t>(pitch))) event |= Event{1} << i;
    }
  }
  return event;
}

std::vector<Event> DrumTrackToEvents(const DrumClasses& classes,
                                     const DrumTrack& track) {
  std::vector<Event> events;
  events.reserve(track.hits.size());
  for (const DrumHit& hit : track.hits) {
    events.push_back(DrumHitToEvent(classes, hit));
  }
  return events;
}

DrumHit DrumEventToHit(const DrumClasses& classes, Event event) {
  DrumHit hit;
  for (size_t i = 0; i < classes.size(); ++i) {
    if ((event >> i & 1) != 0) hit.set(static_cast<size_t>(classes[i][0]));
  }
  return hit;
}

NoteSequence DrumTrackToSequence(const DrumTrack& track,
                                 const DrumsToSequenceOptions& options) {
  // The order of these products and sums is Magenta's, to the last bit.
  const double seconds_per_step = 60.0 / options.qpm / track.steps_per_quarter;
  const double start = options.start_time +
                       static_cast<double>(track.start_step) * seconds_per_step;
  NoteSequence sequence;
  sequence.set_ticks_per_quarter(kTicksPerQuarter);
  sequence.add_tempos()->set_qpm(options.qpm);
  for (size_t step = 0; step < track.hits.size(); ++step) {
    const DrumHit& hit = track.hits[step];
    if (hit.none()) continue;
    for (int pitch = 0; pitch < kNumDrumPitches; ++pitch) {
      if (!hit.test(static_cast<size_t>(pitch))) continue;
      NoteSequence::Note* note = sequence.add_notes();
      note->set_start_time(static_cast<double>(step) * seconds_per_step +
                           start);
      note->set_end_time(static_cast<double>(step + 1) * seconds_per_step +
                         start);
      note->set_pitch(pitch);
      note->set_velocity(options.velocity);
      note->set_instrument(options.instrument);
      note->set_program(options.program);
      note->set_is_drum(true);
      sequence.set_total_time(note->end_time());
    }
  }
  return sequence;
}

}  // namespace continuo
