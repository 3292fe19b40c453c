// SPDX-License-Identifier: Apache-2.0

// Playing a NoteSequence slower or faster (data/notes/README.md).

#ifndef CONTINUO_DATA_NOTES_STRETCH_H_
#define CONTINUO_DATA_NOTES_STRETCH_H_

#include "data/proto/music.pb.h"

namespace continuo {

// Multiplies all times by `factor` > 0 and divides the tempos by it. A factor
// of 1 changes nothing. The sequence must not be quantized.
void StretchSequence(double factor,
                     tensorflow::magenta::NoteSequence* sequence);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_STRETCH_H_
