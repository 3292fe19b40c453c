// SPDX-License-Identifier: Apache-2.0

// The order in which the measures of a score are played.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PLAYBACK_ORDER_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PLAYBACK_ORDER_H_

#include <cstdint>
#include <vector>

#include "data/notes/musicxml/musicxml_marks.h"
#include "data/notes/reading.h"

namespace continuo {

// The measures (their indices) in playing order: repeats, nested ones too, with
// their endings, then D.C. and D.S. to Fine or coda. After a jump, what has
// been repeated is played once, with its last ending, unless the score says
// otherwise.
//
// `costs` says how much there is to play in each measure, at least 1. A score
// whose repeats cost more than `max_cost` is played as notated, with a
// warning; so are single jumps that lead nowhere.
std::vector<int> PlaybackOrder(const std::vector<const MeasureMarks*>& marks,
                               const std::vector<int64_t>& costs,
                               int64_t max_cost, ReadReport* report);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PLAYBACK_ORDER_H_
