// SPDX-License-Identifier: Apache-2.0

// The order in which the elements of an ABC score are played: repeats,
// endings and parts.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_PLAYBACK_ORDER_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_PLAYBACK_ORDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/abc/abc_score.h"
#include "data/notes/reading.h"

namespace continuo {

// No tune has more notes, rests and texts when played out.
inline constexpr int kMaxAbcPlayed = 1 << 16;

// Indices of the notes, rests and texts in the order of playing. Each step
// takes one from `work`. ResourceExhausted beyond kMaxAbcPlayed, or without
// work left. What is left out is counted in `report`.
//
// A repeat goes back to the forward repeat, the double bar, the part's label or
// the end of the repeat before it, or the start. Each ending is played in the
// passes that it names; a closing repeat after the last of them repeats what
// has followed since that was as long as the first, or nothing. With an order
// of parts ("P:" in the header, "ABA", "(AB)2C3") each part is played so, one
// after another, whatever D.C. and the like say; an order that names none of
// the tune's parts is ignored. After a D.C. or D.S. repeats are not played
// again, and of endings only the last is.
absl::StatusOr<std::vector<int>> AbcPlaybackOrder(const AbcScore& score,
                                                  int64_t* work,
                                                  ReadReport* report);

// "A(BC)2" as "ABCBC"; other characters than capital letters, brackets and
// numbers are skipped. Empty if it contains small letters, for it is text then.
// ResourceExhausted beyond kMaxAbcPlayed labels.
absl::StatusOr<std::string> ExpandAbcParts(absl::string_view order);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_PLAYBACK_ORDER_H_
