// SPDX-License-Identifier: Apache-2.0

// One <note> of a MusicXML score, as Magenta reads it.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_NOTE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_NOTE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "data/notes/musicxml/musicxml_magenta_state.h"
#include "data/notes/musicxml/musicxml_notation.h"
#include "pugixml.hpp"

namespace continuo {

struct MagentaNote {
  bool is_rest = false;
  bool in_chord = false;  // joins the note before it
  int voice = 1;
  int pitch = 0;         // MIDI, sounding; unset for rests
  int64_t duration = 0;  // millionths of a division
  double start = 0;      // seconds; negative after too large a <backup>
  double seconds = 0;    // negative as the <duration>
  // 0/1 for notes without a <duration>, which is how grace notes appear.
  Fraction length = {};
};

// Reads `note` at the state's time and moves the state past it. Grace notes (no
// <duration>) have no length and lie at time 0, and a <chord/> note takes onset
// and duration of the note before it; a cue note is a note; C flat and B sharp
// sound in the octave that is written (12 semitones off); a negative duration
// moves time back.
//
// InvalidArgument for what Magenta rejects, and for a pitch outside MIDI's
// range.
absl::StatusOr<MagentaNote> ReadMagentaNote(pugi::xml_node note,
                                            MagentaState* state);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_NOTE_H_
