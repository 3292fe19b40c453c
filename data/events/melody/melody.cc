// SPDX-License-Identifier: Apache-2.0

#include "data/events/melody/melody.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr int kNotesPerOctave = 12;
constexpr int kTicksPerQuarter = 220;

constexpr int FloorMod(int value, int modulus) {
  const int rest = value % modulus;
  return rest < 0 ? rest + modulus : rest;
}

}  // namespace

absl::StatusOr<Melody> MelodyFromEvents(std::vector<Event> events) {
  bool before_first_note = true;
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i] < kMelodyNoEvent || events[i] > kMaxMelodyPitch) {
      return absl::InvalidArgumentError(absl::StrCat(
          "melody event ", events[i], " at position ", i,
          ": expected -2 (no event), -1 (note-off) or a pitch in 0..127"));
    }
    if (events[i] >= 0) before_first_note = false;
    if (before_first_note) events[i] = kMelodyNoEvent;
  }
  return Melody{.events = std::move(events)};
}

void SetMelodyLength(int64_t steps, Melody* melody) {
  std::vector<Event>& events = melody->events;
  const auto old_length = static_cast<int64_t>(events.size());
  events.resize(static_cast<size_t>(steps), kMelodyNoEvent);
  if (steps <= old_length) return;
  for (int64_t i = old_length - 1; i >= 0; --i) {
    if (events[i] == kMelodyNoEvent) continue;
    if (events[i] != kMelodyNoteOff) events[old_length] = kMelodyNoteOff;
    return;
  }
}

std::array<int, 12> PitchClassCounts(absl::Span<const Event> events) {
  std::array<int, 12> counts{};
  for (Event event : events) {
    if (event >= 0) ++counts[event % kNotesPerOctave];
  }
  return counts;
}

std::array<int, 12> MajorKeyScores(const std::array<int, 12>& pitch_classes) {
  constexpr std::array<int, 7> kMajorScale = {0, 2, 4, 5, 7, 9, 11};
  std::array<int, 12> scores{};
  for (int key = 0; key < kNotesPerOctave; ++key) {
    for (int interval : kMajorScale) {
      scores[key] += pitch_classes[(key + interval) % kNotesPerOctave];
    }
  }
  return scores;
}

int MajorKey(absl::Span<const Event> events) {
  const std::array<int, 12> scores = MajorKeyScores(PitchClassCounts(events));
  return static_cast<int>(std::max_element(scores.begin(), scores.end()) -
                          scores.begin());
}

void TransposeEvents(int amount, int min_note, int max_note,
                     absl::Span<Event> events) {
  for (Event& event : events) {
    if (event < 0) continue;
    int pitch = static_cast<int>(event) + amount;
    if (pitch < min_note) {
      pitch = min_note + FloorMod(pitch - min_note, kNotesPerOctave);
    } else if (pitch >= max_note) {
      pitch = max_note - kNotesPerOctave +
              FloorMod(pitch - max_note, kNotesPerOctave);
    }
    event = pitch;
  }
}

int SquashEvents(int min_note, int max_note, std::optional<int> key,
                 absl::Span<Event> events) {
  int amount = 0;
  if (key.has_value()) {
    Event lowest = kMaxMelodyPitch + 1;
    Event highest = -1;
    for (Event event : events) {
      if (event < 0) continue;
      lowest = std::min(lowest, event);
      highest = std::max(highest, event);
    }
    if (highest < 0) return 0;
    const int key_diff = *key - MajorKey(events);
    const double middle = static_cast<double>(lowest + highest) / 2;
    const double target = static_cast<double>(min_note + max_note - 1) / 2;
    // Half an octave either way goes to the even number of octaves.
    amount =
        key_diff + kNotesPerOctave *
                       static_cast<int>(std::nearbyint(
                           (target - (middle + key_diff)) / kNotesPerOctave));
  }
  TransposeEvents(amount, min_note, max_note, events);
  return amount;
}

NoteSequence MelodyToSequence(const Melody& melody,
                              const MelodyToSequenceOptions& options) {
  // The order of these products and sums is Magenta's, to the last bit.
  const double seconds_per_step = 60.0 / options.qpm / melody.steps_per_quarter;
  const double start =
      options.start_time +
      static_cast<double>(melody.start_step) * seconds_per_step;
  NoteSequence sequence;
  sequence.set_ticks_per_quarter(kTicksPerQuarter);
  sequence.add_tempos()->set_qpm(options.qpm);
  NoteSequence::Note* sounding = nullptr;
  const auto end_sounding = [&](size_t step) {
    if (sounding == nullptr) return;
    sounding->set_end_time(static_cast<double>(step) * seconds_per_step +
                           start);
    sounding = nullptr;
  };
  for (size_t step = 0; step < melody.events.size(); ++step) {
    const Event event = melody.events[step];
    if (event == kMelodyNoEvent) continue;
    end_sounding(step);
    if (event == kMelodyNoteOff) continue;
    sounding = sequence.add_notes();
    sounding->set_start_time(static_cast<double>(step) * seconds_per_step +
                             start);
    sounding->set_pitch(static_cast<int>(event));
    sounding->set_velocity(options.velocity);
    sounding->set_instrument(options.instrument);
    sounding->set_program(options.program);
  }
  end_sounding(melody.events.size());
  if (sequence.notes_size() > 0) {
    sequence.set_total_time(
        sequence.notes(sequence.notes_size() - 1).end_time());
  }
  return sequence;
}

}  // namespace continuo
