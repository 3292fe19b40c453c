// SPDX-License-Identifier: Apache-2.0

#include "data/events/melody/melody_extract.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/notes/instruments.h"
#include "data/notes/quantize.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// A note of a melody, in steps from the melody's start.
struct Span {
  int64_t start;
  int64_t end;
  int pitch;
};

enum class SearchResult { kMelody, kNothing, kPolyphonic };

// One search for a melody in the notes of an instrument. Keeps notes, not
// steps, so that hostile lengths cost no memory.
struct Search {
  int64_t start_step = 0;   // of the melody, on a bar line
  std::vector<Span> spans;  // start ascending, ends at most the next start
  int64_t length() const { return spans.empty() ? 0 : spans.back().end; }
};

// `notes`: sorted by start, then pitch descending, all from `search_start` on.
SearchResult FindMelody(absl::Span<const NoteSequence::Note* const> notes,
                        int64_t search_start, int64_t steps_per_bar,
                        const MelodyExtractOptions& options, Search* out) {
  out->spans.clear();
  if (notes.empty()) return SearchResult::kNothing;
  // The bar of the first note, even if that is one the loop ignores.
  const int64_t first = notes[0]->quantized_start_step();
  out->start_step = first - (first - search_start) % steps_per_bar;
  const double gap = options.gap_bars * static_cast<double>(steps_per_bar);
  for (const NoteSequence::Note* note : notes) {
    if (options.filter_drums && note->is_drum()) continue;
    if (note->velocity() == 0) continue;
    const int64_t start = note->quantized_start_step() - out->start_step;
    const int64_t end = note->quantized_end_step() - out->start_step;
    if (end <= start) continue;
    if (!out->spans.empty()) {
      Span& last = out->spans.back();
      if (start == last.start) {
        if (options.ignore_polyphonic_notes) continue;
        return SearchResult::kPolyphonic;
      }
      if (static_cast<double>(start - last.end) >= gap) break;
      last.end = std::min(last.end, start);
    }
    out->spans.push_back({start, end, note->pitch()});
  }
  return out->spans.empty() ? SearchResult::kNothing : SearchResult::kMelody;
}

// The first `length` steps as events. The note-off of the last note falls
// outside, or on nothing.
std::vector<Event> ToEvents(const Search& search, int64_t length) {
  std::vector<Event> events(static_cast<size_t>(length), kMelodyNoEvent);
  for (const Span& span : search.spans) {
    if (span.start >= length) break;
    // A note that starts where the last one ends replaces its note-off.
    events[span.start] = span.pitch;
    if (span.end < length) events[span.end] = kMelodyNoteOff;
  }
  return events;
}

int CountPitchClasses(absl::Span<const Event> events) {
  int count = 0;
  for (int notes : PitchClassCounts(events)) count += notes > 0;
  return count;
}

// Notes of each instrument, sorted by start, then pitch descending.
std::map<int, std::vector<const NoteSequence::Note*>> SortedNotes(
    const NoteSequence& sequence) {
  auto instruments = NotesByInstrument(sequence);
  for (auto& [instrument, notes] : instruments) {
    std::stable_sort(
        notes.begin(), notes.end(), [](const auto* a, const auto* b) {
          if (a->quantized_start_step() != b->quantized_start_step()) {
            return a->quantized_start_step() < b->quantized_start_step();
          }
          return a->pitch() > b->pitch();
        });
  }
  return instruments;
}

// All melodies of one instrument.
absl::Status ExtractTrack(const std::vector<const NoteSequence::Note*>& notes,
                          int64_t steps_per_bar, int steps_per_quarter,
                          const MelodyExtractOptions& options,
                          MelodyExtraction* out) {
  int64_t search_start = options.search_start_step;
  Search search;
  for (;;) {
    const auto first = std::partition_point(
        notes.begin(), notes.end(), [&](const NoteSequence::Note* note) {
          return note->quantized_start_step() < search_start;
        });
    const SearchResult result =
        FindMelody(absl::MakeSpan(notes.data() + (first - notes.begin()),
                                  static_cast<size_t>(notes.end() - first)),
                   search_start, steps_per_bar, options, &search);
    if (result == SearchResult::kNothing) return absl::OkStatus();
    if (result == SearchResult::kPolyphonic) {
      ++out->polyphonic_tracks_discarded;
      return absl::OkStatus();
    }
    // The next search starts on the bar line at or after the melody's end.
    const int64_t end_step = search.start_step + search.length();
    const int64_t beyond =
        (end_step - options.search_start_step) % steps_per_bar;
    search_start = end_step + (beyond == 0 ? 0 : steps_per_bar - beyond);

    int64_t length = search.length();
    if (length < steps_per_bar * options.min_bars) {
      ++out->melodies_discarded_too_short;
      continue;
    }
    if (options.max_steps_discard.has_value() &&
        length > *options.max_steps_discard) {
      ++out->melodies_discarded_too_long;
      continue;
    }
    if (options.max_steps_truncate.has_value() &&
        length > *options.max_steps_truncate) {
      length = *options.max_steps_truncate;
      ++out->melodies_truncated;
    }
    if (length > kMaxMelodySteps) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a melody of ", length,
                       " steps is longer than the limit of ", kMaxMelodySteps));
    }
    Melody melody{.events = ToEvents(search, length),
                  .start_step = search.start_step,
                  .steps_per_bar = steps_per_bar,
                  .steps_per_quarter = steps_per_quarter};
    if (CountPitchClasses(melody.events) < options.min_unique_pitches) {
      ++out->melodies_discarded_too_few_pitches;
      continue;
    }
    out->lengths_in_bars.push_back(length / steps_per_bar);
    out->melodies.push_back(std::move(melody));
  }
}

}  // namespace

MelodyExtractOptions TrainingMelodyOptions() { return {}; }

MelodyExtractOptions PrimingMelodyOptions() {
  MelodyExtractOptions options;
  options.min_bars = 0;
  options.max_steps_truncate = std::nullopt;
  options.gap_bars = std::numeric_limits<double>::infinity();
  options.min_unique_pitches = 1;
  options.ignore_polyphonic_notes = true;
  return options;
}

absl::StatusOr<MelodyExtraction> ExtractMelodies(
    const NoteSequence& quantized, const MelodyExtractOptions& options) {
  MelodyExtraction out;
  const double steps_per_bar = StepsPerBar(quantized);
  if (quantized.notes().empty()) return out;
  if (steps_per_bar != std::floor(steps_per_bar)) {
    out.non_integer_steps_per_bar = true;
    return out;
  }
  for (const auto& [instrument, notes] : SortedNotes(quantized)) {
    const absl::Status status = ExtractTrack(
        notes, static_cast<int64_t>(steps_per_bar),
        quantized.quantization_info().steps_per_quarter(), options, &out);
    if (!status.ok()) return status;
  }
  return out;
}

}  // namespace continuo
