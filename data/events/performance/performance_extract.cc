// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/performance_extract.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/performance/note_tuple.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

using Notes = std::vector<const NoteSequence::Note*>;

// Notes from `start_step` on, by time before quantization, then pitch.
Notes SortedNotes(const NoteSequence& sequence, int64_t start_step) {
  Notes notes;
  notes.reserve(static_cast<size_t>(sequence.notes_size()));
  for (const NoteSequence::Note& note : sequence.notes()) {
    if (note.quantized_start_step() >= start_step) notes.push_back(&note);
  }
  std::stable_sort(notes.begin(), notes.end(),
                   [](const auto* a, const auto* b) {
                     if (a->start_time() != b->start_time()) {
                       return a->start_time() < b->start_time();
                     }
                     return a->pitch() < b->pitch();
                   });
  return notes;
}

absl::Status CheckNotes(const NoteSequence& sequence,
                        const PerformanceExtractOptions& options) {
  for (const NoteSequence::Note& note : sequence.notes()) {
    if (note.pitch() < 0 || note.pitch() > 127) {
      return absl::InvalidArgumentError(
          absl::StrCat("a note of pitch ", note.pitch(), ": expected 0..127"));
    }
    if (options.num_velocity_bins > 0 &&
        (note.velocity() < kMinVelocity || note.velocity() > kMaxVelocity)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a note of velocity ", note.velocity(), ": expected 1..127"));
    }
    if (options.note_tuples &&
        note.quantized_end_step() <= note.quantized_start_step()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a note that starts at ", note.start_time(),
                       " s ends before that, at ", note.end_time(), " s"));
    }
  }
  return absl::OkStatus();
}

bool HasSeveralPrograms(const NoteSequence& sequence) {
  for (const NoteSequence::Note& note : sequence.notes()) {
    if (note.program() != sequence.notes(0).program()) return true;
  }
  return false;
}

// What decoding restores: drums have no program, a mixture has neither.
void RememberProgram(const NoteSequence& sequence, Performance* performance) {
  const auto& notes = sequence.notes();
  const auto is_drum = [](const auto& note) { return note.is_drum(); };
  if (std::all_of(notes.begin(), notes.end(), is_drum)) {
    performance->is_drum = true;
  } else if (std::none_of(notes.begin(), notes.end(), is_drum)) {
    performance->is_drum = false;
    performance->program = sequence.notes(0).program();
  }
}

// Onsets and ends in time order; within a step by the notes' order, a note's
// onset before its end.
std::vector<Event> NoteEvents(const Notes& notes,
                              const PerformanceExtractOptions& options) {
  struct Point {
    int64_t step;
    size_t note;
    bool is_end;
  };
  std::vector<Point> points;
  points.reserve(2 * notes.size());
  for (size_t i = 0; i < notes.size(); ++i) {
    points.push_back({notes[i]->quantized_start_step(), i, false});
    points.push_back({notes[i]->quantized_end_step(), i, true});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    if (a.step != b.step) return a.step < b.step;
    if (a.note != b.note) return a.note < b.note;
    return a.is_end < b.is_end;
  });

  std::vector<Event> events;
  // What a truncation would drop need not be made.
  const int64_t enough =
      options.max_events_truncate.value_or(kMaxPerformanceEvents) + 1;
  int64_t step = options.start_step;
  int bin = 0;
  for (const Point& point : points) {
    while (step < point.step && static_cast<int64_t>(events.size()) < enough) {
      const int64_t shift =
          std::min<int64_t>(point.step - step, kMaxShiftSteps);
      events.push_back(
          MakePerformanceEvent(PerformanceEventType::kTimeShift, shift));
      step += shift;
    }
    if (static_cast<int64_t>(events.size()) >= enough) break;
    const NoteSequence::Note& note = *notes[point.note];
    if (!point.is_end && options.num_velocity_bins > 0) {
      const int note_bin =
          VelocityToBin(note.velocity(), options.num_velocity_bins);
      if (note_bin != bin) {
        bin = note_bin;
        events.push_back(
            MakePerformanceEvent(PerformanceEventType::kVelocity, bin));
      }
    }
    events.push_back(MakePerformanceEvent(point.is_end
                                              ? PerformanceEventType::kNoteOff
                                              : PerformanceEventType::kNoteOn,
                                          note.pitch()));
  }
  return events;
}

// False, with the reason counted, if a note does not fit a tuple.
bool TupleEvents(const Notes& notes, const PerformanceExtractOptions& options,
                 std::vector<Event>* events, PerformanceExtraction* out) {
  int64_t step = options.start_step;
  for (const NoteSequence::Note* note : notes) {
    const int64_t shift = note->quantized_start_step() - step;
    if (shift > kMaxTupleSteps) {
      ++out->performance_discarded_too_many_time_shift_steps;
      return false;
    }
    const int64_t duration =
        note->quantized_end_step() - note->quantized_start_step();
    if (duration > kMaxTupleSteps) {
      ++out->performance_discarded_too_many_duration_steps;
      return false;
    }
    events->push_back(
        PackNoteTuple({.shift = static_cast<int>(shift),
                       .pitch = note->pitch(),
                       .velocity_bin = VelocityToBin(note->velocity(),
                                                     options.num_velocity_bins),
                       .duration = static_cast<int>(duration)}));
    step = note->quantized_start_step();
  }
  return true;
}

}  // namespace

PerformanceExtractOptions TrainingPerformanceOptions(int num_velocity_bins,
                                                     bool note_tuples) {
  return {.num_velocity_bins = num_velocity_bins,
          .note_tuples = note_tuples,
          .max_events_truncate = 512,
          .min_events_discard = 32};
}

absl::StatusOr<PerformanceExtraction> ExtractPerformance(
    const NoteSequence& quantized, const PerformanceExtractOptions& options) {
  CONTINUO_RETURN_IF_ERROR(CheckNotes(quantized, options));
  PerformanceExtraction out;
  if (HasSeveralPrograms(quantized)) {
    ++out.performances_discarded_more_than_1_program;
    return out;
  }
  Performance performance;
  performance.start_step = options.start_step;
  performance.num_velocity_bins = options.num_velocity_bins;
  RememberProgram(quantized, &performance);
  const Notes notes = SortedNotes(quantized, options.start_step);
  if (!options.note_tuples) {
    performance.events = NoteEvents(notes, options);
  } else if (!TupleEvents(notes, options, &performance.events, &out)) {
    return out;
  }
  const auto count = static_cast<int64_t>(performance.events.size());
  if (options.max_events_truncate.has_value() &&
      count > *options.max_events_truncate) {
    performance.events.resize(
        static_cast<size_t>(*options.max_events_truncate));
    ++out.performances_truncated;
  } else if (count > kMaxPerformanceEvents) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a performance of more than ", kMaxPerformanceEvents,
                     " events is longer than the limit"));
  }
  if (options.min_events_discard.has_value() &&
      static_cast<int64_t>(performance.events.size()) <
          *options.min_events_discard) {
    ++out.performances_discarded_too_short;
    return out;
  }
  out.performance = std::move(performance);
  return out;
}

}  // namespace continuo
