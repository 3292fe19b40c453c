// SPDX-License-Identifier: Apache-2.0

// Repeats as Magenta records them: a section annotation where a section starts,
// a section group for how often each is played.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_SECTIONS_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_SECTIONS_H_

#include "data/proto/music.pb.h"

namespace continuo {

struct MagentaSections {
  int expected_repeats = 0;  // what the open forward repeat asks for; 0: none
};

// How often a repeat mark has what is before and after it played; 0: no repeat
// on that side.
struct MagentaRepeat {
  int backward = 0;
  int forward = 0;
};

// A repeat mark at `time`. False where Magenta fails: a mark that does not
// match the forward repeat before it, a backward repeat at time 0.
bool AddMagentaRepeat(MagentaRepeat repeat, double time,
                      MagentaSections* sections,
                      tensorflow::magenta::NoteSequence* sequence);

// A double bar, to which a later backward repeat goes back.
void AddMagentaDoubleBar(double time, MagentaSections* sections,
                         tensorflow::magenta::NoteSequence* sequence);

// The end of the tune. False for an open forward repeat, or for sections
// without a note.
bool FinishMagentaSections(MagentaSections* sections,
                           tensorflow::magenta::NoteSequence* sequence);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_SECTIONS_H_
