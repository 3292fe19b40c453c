// SPDX-License-Identifier: Apache-2.0

// The sustain pedal written out into note lengths (data/notes/README.md).

#ifndef CONTINUO_DATA_NOTES_SUSTAIN_H_
#define CONTINUO_DATA_NOTES_SUSTAIN_H_

#include "data/proto/music.pb.h"

namespace continuo {

// Lengthens the notes that the pedal (control 64, 64 and above is down) holds:
// until it is lifted, or until the pitch is struck again with the pedal down,
// or to the last event. Instruments are independent, drums stay as they are. A
// note struck again at its own start is removed. The pedal events remain. The
// times must be finite.
void ApplySustain(tensorflow::magenta::NoteSequence* sequence);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_SUSTAIN_H_
