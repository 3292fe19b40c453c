// SPDX-License-Identifier: Apache-2.0

#include "data/notes/stretch.h"

#include "runtime/base/log.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

template <typename Events>
void StretchEvents(double factor, Events* events) {
  for (auto& event : *events) event.set_time(event.time() * factor);
}

}  // namespace

void StretchSequence(double factor, NoteSequence* sequence) {
  CONTINUO_CHECK(factor > 0);
  if (factor == 1.0) return;
  for (NoteSequence::Note& note : *sequence->mutable_notes()) {
    note.set_start_time(note.start_time() * factor);
    note.set_end_time(note.end_time() * factor);
  }
  sequence->set_total_time(sequence->total_time() * factor);
  StretchEvents(factor, sequence->mutable_time_signatures());
  StretchEvents(factor, sequence->mutable_key_signatures());
  StretchEvents(factor, sequence->mutable_tempos());
  StretchEvents(factor, sequence->mutable_pitch_bends());
  StretchEvents(factor, sequence->mutable_control_changes());
  StretchEvents(factor, sequence->mutable_text_annotations());
  for (NoteSequence::Tempo& tempo : *sequence->mutable_tempos()) {
    tempo.set_qpm(tempo.qpm() / factor);
  }
}

}  // namespace continuo
