// SPDX-License-Identifier: Apache-2.0

// The ABC that Magenta reads, read as Magenta does.
//
// Notes come once; repeats are recorded as section annotations and groups.
// Its quirks are kept, because a data set must not change with the program
// that converts it: ties do not join notes, ">>" moves a quarter of the
// length, "::" does not clear accidentals, the file header's meter stays
// beside the tune's, times are sums of doubles.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_H_

#include <optional>
#include <vector>

#include "data/notes/abc/abc_text.h"
#include "data/proto/music.pb.h"

namespace continuo {

// The tune as Magenta gives it, or nothing if Magenta fails (rests, chords,
// tuplets, endings, parts, voices, odd fields and much else); then `rejected`,
// if not null, is the number of the line that it fails at.
std::optional<tensorflow::magenta::NoteSequence> ReadMagentaAbcTune(
    const std::vector<AbcLine>& header, const std::vector<AbcLine>& tune,
    int* rejected = nullptr);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_MAGENTA_H_
