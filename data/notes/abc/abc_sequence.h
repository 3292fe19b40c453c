// SPDX-License-Identifier: Apache-2.0

// A played-out ABC score as a NoteSequence.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_SEQUENCE_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_SEQUENCE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "data/notes/abc/abc_score.h"
#include "data/proto/music.pb.h"

namespace continuo {

// `order` as from AbcPlaybackOrder. Tied notes are joined; meter, key and tempo
// are given where they change in the order of playing; positions are exact
// until they become seconds. InvalidArgument if they leave the range of
// 64-bit fractions or nothing sounds.
absl::StatusOr<tensorflow::magenta::NoteSequence> AbcScoreToSequence(
    const AbcScore& score, const std::vector<int>& order);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_SEQUENCE_H_
