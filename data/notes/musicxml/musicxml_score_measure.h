// SPDX-License-Identifier: Apache-2.0

// One part's share of a measure of a MusicXML score, as the format means it.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_MEASURE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_MEASURE_H_

#include "data/notes/musicxml/musicxml_part_reader.h"
#include "data/notes/musicxml/musicxml_score.h"
#include "pugixml.hpp"

namespace continuo {

// Adds what `node` holds, except marks (musicxml_marks.h), to `measure`, which
// parts share. Any <sound tempo> or metronome mark is a tempo. A
// velocity is what <sound dynamics> said last, 64 until then.
void ReadPartMeasure(pugi::xml_node node, PartReader* reader,
                     WrittenMeasure* measure);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_MEASURE_H_
