// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/primer_instruments.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/notes/instruments.h"
#include "data/notes/midi/midi_programs.h"
#include "runtime/base/counted.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Notes that touch do not sound together, whatever rounding did to their ends.
constexpr double kTouch = 1e-6;  // seconds

using Notes = std::vector<const NoteSequence::Note*>;

bool IsPolyphonic(Notes notes) {
  std::sort(notes.begin(), notes.end(), [](const auto* a, const auto* b) {
    return a->start_time() < b->start_time();
  });
  double last_end = -1;
  for (const NoteSequence::Note* note : notes) {
    if (note->start_time() < last_end - kTouch) return true;
    last_end = std::max(last_end, note->end_time());
  }
  return false;
}

std::string Name(const NoteSequence::Note& note) {
  if (note.is_drum()) return "drums";
  const int program = std::clamp(note.program(), 0, 127);
  return std::string(MidiProgramName(program));
}

}  // namespace

std::string DescribeInstruments(const NoteSequence& sequence) {
  std::string text;
  // A melody before chords, chords before drums; then the most notes.
  int best = -1;
  int64_t best_rank = -1;
  for (const auto& [instrument, notes] : NotesByInstrument(sequence)) {
    const bool drums = notes[0]->is_drum();
    const bool polyphonic = !drums && IsPolyphonic(notes);
    const auto count = static_cast<int64_t>(notes.size());
    absl::StrAppend(&text, text.empty() ? "" : ", ", instrument, " ",
                    Name(*notes[0]), " (", Counted(count, "note"),
                    polyphonic ? ", polyphonic)" : ")");
    const int64_t kind = drums ? 0 : polyphonic ? 1 : 2;
    const int64_t rank = (kind << 32) + count;
    if (rank > best_rank) {
      best_rank = rank;
      best = instrument;
    }
  }
  if (best < 0) return "no instrument has notes";
  return absl::StrCat(text, "; give `primer_instrument`=", best);
}

absl::Status KeepInstrument(int instrument, NoteSequence* sequence) {
  NoteSequence kept = *sequence;
  kept.clear_notes();
  for (const NoteSequence::Note& note : sequence->notes()) {
    if (note.instrument() == instrument) *kept.add_notes() = note;
  }
  if (kept.notes().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`primer_instrument`=", instrument,
                     ": the primer has no such instrument with notes: ",
                     DescribeInstruments(*sequence)));
  }
  *sequence = std::move(kept);
  return absl::OkStatus();
}

}  // namespace continuo
