// SPDX-License-Identifier: Apache-2.0

// One <note> of a MusicXML score as the format means it.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_NOTE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_NOTE_H_

#include <optional>
#include <vector>

#include "data/notes/musicxml/musicxml_part_reader.h"
#include "data/notes/musicxml/musicxml_score.h"
#include "pugixml.hpp"

namespace continuo {

// Where a measure of a part is being read.
struct MeasureCursor {
  Ticks time = 0;
  // The note that a following <chord/> note joins; no duration for none.
  Ticks chord_start = 0;
  std::optional<Ticks> chord_duration;
  // How far reading has come, not counting rests of the whole measure, and
  // whether there was a note.
  Ticks extent = 0;
  Ticks measure_rest = 0;
  bool has_notes = false;
};

// Moves the time, at most to the start of the measure, and warns there.
void MoveCursor(Ticks ticks, PartReader* reader, MeasureCursor* cursor);

// Reads `node` at the cursor and moves the cursor past it. Adds the note, or
// the two notes of a part that sounds in octaves, to `notes`. What makes no
// sense is left out alone, with a warning:
//  - grace notes, which have no time of their own, and cue notes, which are for
//    the eye, are left out; so are unpitched notes whose instrument has no MIDI
//    sound, and notes outside MIDI's range or without a usable pitch;
//  - a note without a usable <duration> takes that of its note value;
//  - pitches sound as <transpose> says, octaves and doublings included. Clefs
//    and octave shifts do not change them: <pitch> is what sounds.
void ReadScoreNote(pugi::xml_node node, PartReader* reader,
                   MeasureCursor* cursor, std::vector<WrittenNote>* notes);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_NOTE_H_
