// SPDX-License-Identifier: Apache-2.0

// Marks put into a NoteSequence by hand.

#ifndef CONTINUO_TESTS_DATA_NOTES_SEQUENCE_EDITS_H_
#define CONTINUO_TESTS_DATA_NOTES_SEQUENCE_EDITS_H_

#include "data/proto/music.pb.h"

namespace continuo::testing {

inline void AddMetre(double time, int numerator, int denominator,
                     tensorflow::magenta::NoteSequence* sequence) {
  auto* metre = sequence->add_time_signatures();
  metre->set_time(time);
  metre->set_numerator(numerator);
  metre->set_denominator(denominator);
}

inline void AddTempo(double time, double qpm,
                     tensorflow::magenta::NoteSequence* sequence) {
  auto* tempo = sequence->add_tempos();
  tempo->set_time(time);
  tempo->set_qpm(qpm);
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_DATA_NOTES_SEQUENCE_EDITS_H_
