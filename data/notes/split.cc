// SPDX-License-Identifier: Apache-2.0

#include "data/notes/split.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/notes/defaults.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

absl::Status NotFinite(const char* what) {
  return absl::InvalidArgumentError(
      absl::StrCat("a ", what, " time is infinite or not a number"));
}

template <typename Events>
absl::Status CheckEventTimes(const Events& events, const char* what) {
  for (const auto& event : events) {
    if (!std::isfinite(event.time())) return NotFinite(what);
  }
  return absl::OkStatus();
}

// Pointers to the events that `keep` accepts, sorted by time, equal times in
// list order.
template <typename Events, typename Keep>
auto SortedByTime(const Events& events, Keep keep) {
  std::vector<const typename Events::value_type*> sorted;
  for (const auto& event : events) {
    if (keep(event)) sorted.push_back(&event);
  }
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const auto* a, const auto* b) { return a->time() < b->time(); });
  return sorted;
}

bool KeepAll(const google::protobuf::Message&) { return true; }

bool IsChord(const NoteSequence::TextAnnotation& text) {
  return text.annotation_type() == NoteSequence::TextAnnotation::CHORD_SYMBOL;
}

bool IsBeat(const NoteSequence::TextAnnotation& text) {
  return text.annotation_type() == NoteSequence::TextAnnotation::BEAT;
}

// Sustain, sostenuto, una corda.
bool IsPedal(const NoteSequence::ControlChange& change) {
  return change.control_number() == 64 || change.control_number() == 66 ||
         change.control_number() == 67;
}

// What holds until the next event: one value.
template <typename T>
struct SingleState {
  const T* held = nullptr;
  void Set(const T* event) { held = event; }
  template <typename Visit>
  void ForEach(Visit visit) const {
    if (held != nullptr) visit(*held);
  }
};

// One value for each instrument and pedal, in the order they first appeared.
struct PedalState {
  std::vector<const NoteSequence::ControlChange*> held;
  void Set(const NoteSequence::ControlChange* event) {
    for (const NoteSequence::ControlChange*& pedal : held) {
      if (pedal->instrument() == event->instrument() &&
          pedal->control_number() == event->control_number()) {
        pedal = event;
        return;
      }
    }
    held.push_back(event);
  }
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const NoteSequence::ControlChange* pedal : held) visit(*pedal);
  }
};

// Distributes stateful events (sorted) over the parts: the state in force is
// restated at each part's start. add(part) makes a new event of the part. An
// event exactly on a boundary only becomes the state of the later part.
template <typename State, typename T, typename Add>
void SplitStateful(const std::vector<const T*>& events,
                   absl::Span<const double> times, Add add) {
  const int num_parts = static_cast<int>(times.size()) - 1;
  State state;
  int part = -1;
  const auto enter_next_part = [&] {
    ++part;
    if (part >= num_parts) return;
    state.ForEach([&](const T& event) {
      T* copy = add(part);
      *copy = event;
      copy->set_time(0);
    });
  };
  for (const T* event : events) {
    if (event->time() > times[0]) {
      while (part < num_parts && event->time() > times[part + 1]) {
        enter_next_part();
      }
      if (part == num_parts) break;
      if (event->time() < times[part + 1]) {
        T* copy = add(part);
        *copy = *event;
        copy->set_time(event->time() - times[part]);
      }
    }
    state.Set(event);
  }
  while (part < num_parts - 1) enter_next_part();
}

void SplitNotes(const NoteSequence& sequence, absl::Span<const double> times,
                std::vector<NoteSequence>* parts) {
  std::vector<const NoteSequence::Note*> notes;
  notes.reserve(sequence.notes_size());
  for (const NoteSequence::Note& note : sequence.notes()) {
    notes.push_back(&note);
  }
  std::stable_sort(notes.begin(), notes.end(),
                   [](const auto* a, const auto* b) {
                     return a->start_time() < b->start_time();
                   });
  size_t part = 0;
  for (const NoteSequence::Note* note : notes) {
    if (note->start_time() < times[0]) continue;
    while (part < parts->size() && note->start_time() >= times[part + 1]) {
      ++part;
    }
    if (part == parts->size()) return;
    NoteSequence& out = (*parts)[part];
    NoteSequence::Note* copy = out.add_notes();
    *copy = *note;
    copy->set_start_time(note->start_time() - times[part]);
    copy->set_end_time(std::min(note->end_time(), times[part + 1]) -
                       times[part]);
    out.set_total_time(std::max(out.total_time(), copy->end_time()));
  }
}

void SplitBeats(const NoteSequence& sequence, absl::Span<const double> times,
                std::vector<NoteSequence>* parts) {
  size_t part = 0;
  for (const auto* beat : SortedByTime(sequence.text_annotations(), IsBeat)) {
    if (beat->time() < times[0]) continue;
    while (part < parts->size() && beat->time() >= times[part + 1]) ++part;
    if (part == parts->size()) return;
    NoteSequence::TextAnnotation* copy = (*parts)[part].add_text_annotations();
    *copy = *beat;
    copy->set_time(beat->time() - times[part]);
  }
}

}  // namespace

absl::Status CheckFiniteTimes(const NoteSequence& sequence) {
  if (!std::isfinite(sequence.total_time())) return NotFinite("total");
  for (const NoteSequence::Note& note : sequence.notes()) {
    if (!std::isfinite(note.start_time()) || !std::isfinite(note.end_time())) {
      return NotFinite("note");
    }
  }
  CONTINUO_RETURN_IF_ERROR(
      CheckEventTimes(sequence.time_signatures(), "time signature"));
  CONTINUO_RETURN_IF_ERROR(
      CheckEventTimes(sequence.key_signatures(), "key signature"));
  CONTINUO_RETURN_IF_ERROR(CheckEventTimes(sequence.tempos(), "tempo"));
  CONTINUO_RETURN_IF_ERROR(
      CheckEventTimes(sequence.text_annotations(), "text annotation"));
  return CheckEventTimes(sequence.control_changes(), "control change");
}

absl::StatusOr<std::vector<NoteSequence>> ExtractSubsequences(
    const NoteSequence& sequence, absl::Span<const double> times) {
  CONTINUO_RETURN_IF_ERROR(CheckFiniteTimes(sequence));
  if (times.size() < 2 || !std::is_sorted(times.begin(), times.end()) ||
      times[times.size() - 2] >= sequence.total_time()) {
    return absl::InvalidArgumentError(
        "split times must be ascending, at least two, and all but the last "
        "below the total time");
  }
  NoteSequence frame = sequence;
  frame.set_total_time(0);
  frame.clear_notes();
  frame.clear_time_signatures();
  frame.clear_key_signatures();
  frame.clear_tempos();
  frame.clear_text_annotations();
  frame.clear_control_changes();
  frame.clear_pitch_bends();
  std::vector<NoteSequence> parts(times.size() - 1, frame);

  SplitNotes(sequence, times, &parts);
  SplitStateful<SingleState<NoteSequence::TimeSignature>>(
      SortedByTime(sequence.time_signatures(), KeepAll), times,
      [&](int part) { return parts[part].add_time_signatures(); });
  SplitStateful<SingleState<NoteSequence::KeySignature>>(
      SortedByTime(sequence.key_signatures(), KeepAll), times,
      [&](int part) { return parts[part].add_key_signatures(); });
  SplitStateful<SingleState<NoteSequence::Tempo>>(
      SortedByTime(sequence.tempos(), KeepAll), times,
      [&](int part) { return parts[part].add_tempos(); });
  SplitStateful<SingleState<NoteSequence::TextAnnotation>>(
      SortedByTime(sequence.text_annotations(), IsChord), times,
      [&](int part) { return parts[part].add_text_annotations(); });
  SplitBeats(sequence, times, &parts);
  SplitStateful<PedalState>(
      SortedByTime(sequence.control_changes(), IsPedal), times,
      [&](int part) { return parts[part].add_control_changes(); });

  for (size_t i = 0; i < parts.size(); ++i) {
    auto* info = parts[i].mutable_subsequence_info();
    info->set_start_time_offset(times[i]);
    info->set_end_time_offset(sequence.total_time() - times[i] -
                              parts[i].total_time());
  }
  return parts;
}

absl::StatusOr<std::vector<NoteSequence>> SplitOnTimeChanges(
    const NoteSequence& sequence) {
  CONTINUO_RETURN_IF_ERROR(CheckFiniteTimes(sequence));
  // Time signatures and tempos in one order, time signatures first where the
  // times are equal.
  struct Change {
    double time;
    const NoteSequence::TimeSignature* metre;
    const NoteSequence::Tempo* tempo;
  };
  std::vector<Change> changes;
  for (const auto& metre : sequence.time_signatures()) {
    changes.push_back({metre.time(), &metre, nullptr});
  }
  for (const auto& tempo : sequence.tempos()) {
    changes.push_back({tempo.time(), nullptr, &tempo});
  }
  std::stable_sort(
      changes.begin(), changes.end(),
      [](const Change& a, const Change& b) { return a.time < b.time; });

  std::vector<double> times = {0.0};
  int numerator = 4;
  int denominator = 4;
  double qpm = kDefaultQpm;
  for (const Change& change : changes) {
    if (change.time >= sequence.total_time()) break;
    if (change.metre != nullptr) {
      if (change.metre->numerator() == numerator &&
          change.metre->denominator() == denominator) {
        continue;
      }
      numerator = change.metre->numerator();
      denominator = change.metre->denominator();
    } else {
      if (change.tempo->qpm() == qpm) continue;
      qpm = change.tempo->qpm();
    }
    if (change.time > times.back()) times.push_back(change.time);
  }
  if (sequence.total_time() > times.back()) {
    times.push_back(sequence.total_time());
  }
  if (times.size() < 2) return std::vector<NoteSequence>();
  return ExtractSubsequences(sequence, times);
}

absl::StatusOr<std::vector<NoteSequence>> SplitEvery(
    double seconds, const NoteSequence& sequence) {
  CONTINUO_CHECK(seconds > 0);
  CONTINUO_RETURN_IF_ERROR(CheckFiniteTimes(sequence));
  constexpr double kMaxParts = 1e5;
  const double total = sequence.total_time();
  if (total > seconds * kMaxParts) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a total time of ", total, " seconds makes too many parts of ", seconds,
        " seconds; are the note times damaged?"));
  }
  if (total <= 0) return std::vector<NoteSequence>();
  std::vector<double> times = {0.0};
  for (double time = seconds; time < total;
       time = seconds * static_cast<double>(times.size())) {
    times.push_back(time);
  }
  times.push_back(total);
  return ExtractSubsequences(sequence, times);
}

NoteSequence TrimSequence(const NoteSequence& sequence, double start,
                          double end) {
  NoteSequence trimmed = sequence;
  trimmed.clear_notes();
  for (const NoteSequence::Note& note : sequence.notes()) {
    if (note.start_time() < start || note.start_time() >= end) continue;
    NoteSequence::Note* copy = trimmed.add_notes();
    *copy = note;
    copy->set_end_time(std::min(note.end_time(), end));
  }
  trimmed.set_total_time(std::min(sequence.total_time(), end));
  return trimmed;
}

}  // namespace continuo
