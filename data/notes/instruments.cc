// SPDX-License-Identifier: Apache-2.0

#include "data/notes/instruments.h"

#include <algorithm>

namespace continuo {

using tensorflow::magenta::NoteSequence;

std::map<int, std::vector<const NoteSequence::Note*>> NotesByInstrument(
    const NoteSequence& sequence) {
  std::map<int, std::vector<const NoteSequence::Note*>> instruments;
  for (const NoteSequence::Note& note : sequence.notes()) {
    instruments[note.instrument()].push_back(&note);
  }
  return instruments;
}

std::map<int, InstrumentSummary> SummarizeInstruments(
    const NoteSequence& sequence) {
  std::map<int, InstrumentSummary> instruments;
  for (const NoteSequence::Note& note : sequence.notes()) {
    InstrumentSummary& summary = instruments[note.instrument()];
    summary.program = note.program();
    summary.drums = note.is_drum();
    ++summary.notes;
    summary.lowest = std::min(summary.lowest, note.pitch());
    summary.highest = std::max(summary.highest, note.pitch());
  }
  return instruments;
}

}  // namespace continuo
