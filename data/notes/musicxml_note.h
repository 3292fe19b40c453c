// One <note> of a MusicXML score.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_NOTE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_NOTE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "data/notes/musicxml_state.h"
#include "pugixml.hpp"

namespace continuo {

struct ScoreNote {
  bool is_rest = false;
  bool in_chord = false;  // joins the note before it
  bool is_drum = false;
  int voice = 1;
  int pitch = 0;         // MIDI, sounding; unset for rests
  int64_t duration = 0;  // millionths of a division
  double start = 0;      // seconds; negative after too large a <backup>
  double seconds = 0;
  // Notated length as a fraction of a whole note: type, dots and tuplet. 0/1
  // for notes without a <duration>, which is how grace notes appear.
  int numerator = 0;
  int denominator = 1;
};

// Reads `note` at the state's time and moves the state past it. As in the
// original, grace notes (no <duration>) have no length and lie at time 0, and
// a <chord/> note takes onset and duration of the note before it; a cue note
// is a note; C flat and B sharp sound in the octave that is written (12
// semitones off). Beyond it: an unpitched note whose instrument has a MIDI
// pitch is a drum note, and a <chord/> that follows no note starts one.
//
// InvalidArgument for a note without pitch, a negative duration, a pitch
// outside MIDI's range, or anything that cannot be parsed.
absl::StatusOr<ScoreNote> ReadScoreNote(pugi::xml_node note,
                                        const ScorePart& part,
                                        ScoreState* state);

// The semitones of a note step ("C" is 0); -1 if `step` is none.
int StepSemitones(absl::string_view step);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_NOTE_H_
