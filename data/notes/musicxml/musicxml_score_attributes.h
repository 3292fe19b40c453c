// SPDX-License-Identifier: Apache-2.0

// <attributes> of a MusicXML measure as the format means them.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_ATTRIBUTES_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_ATTRIBUTES_H_

#include "data/notes/musicxml/musicxml_part_reader.h"
#include "data/notes/musicxml/musicxml_score.h"
#include "pugixml.hpp"

namespace continuo {

// Takes divisions and transposition into `reader`, and the time and key
// signatures into `measure`, as they sound, at `time` within it. Those of the
// first part that has any in the measure count; of several at once, the first.
void ReadScoreAttributes(pugi::xml_node attributes, Ticks time,
                         PartReader* reader, WrittenMeasure* measure);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_ATTRIBUTES_H_
