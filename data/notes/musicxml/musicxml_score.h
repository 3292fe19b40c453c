// SPDX-License-Identifier: Apache-2.0

// A MusicXML score as notated, before its repeats are played and its
// tempos applied. Measures of the parts with the same index are at the same
// time; their notes have places within the measure.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/notes/musicxml/musicxml_attributes.h"
#include "data/notes/musicxml/musicxml_marks.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Fractions of a quarter note: WrittenScore::ticks_per_quarter make one.
using Ticks = int64_t;

// No measure is longer: 2^20 quarters at the finest resolution.
inline constexpr Ticks kMaxMeasureTicks = Ticks{1} << 48;

struct WrittenNote {
  Ticks start = 0;
  Ticks duration = 0;
  int voice = 1;
  int pitch = 0;  // MIDI, sounding
  int program = 0;
  int velocity = 0;
  bool is_drum = false;
  bool tie_start = false;
  bool tie_stop = false;
};

struct WrittenSymbol {
  Ticks start = 0;
  std::string text;
};

// One part's share of a measure.
struct WrittenPartMeasure {
  int part = 0;
  std::vector<WrittenNote> notes;  // by start
  std::vector<WrittenSymbol> symbols;
};

struct WrittenTempo {
  Ticks start = 0;
  double value = 0;        // quarters per minute, or
  bool is_factor = false;  // what the tempo before is multiplied by
  // <sound tempo>, which is made for players, counts before a <metronome> mark
  // in the same place.
  bool is_sound = false;
};

struct WrittenKey {
  Ticks start = 0;
  tensorflow::magenta::NoteSequence::KeySignature::Key key = {};  // sounding
  tensorflow::magenta::NoteSequence::KeySignature::Mode mode = {};
  int accidentals = 0;  // the key of the major scale that has them
};

struct WrittenMeter {
  Ticks start = 0;
  std::optional<ScoreMeter> meter;  // nothing for senza misura
};

// A measure of the score. Signatures are those of the first part that has any
// in it; `*_part` is that part, -1 for none.
struct WrittenMeasure {
  // The longest content of a part that has notes.
  Ticks extent = 0;
  // The longest rest that says it fills the measure, and the longest content of
  // a part that has rests alone. They often have the length of a whole note,
  // whatever the time signature.
  Ticks measure_rest = 0;
  bool is_implicit = false;  // a pickup, or the rest of a divided measure
  MeasureMarks marks;
  std::vector<WrittenPartMeasure> parts;  // in order
  std::vector<WrittenTempo> tempos;       // as parts follow each other
  std::vector<WrittenKey> keys;
  int key_part = -1;
  std::vector<WrittenMeter> meters;
  int meter_part = -1;
};

struct WrittenScore {
  Ticks ticks_per_quarter = 1;
  std::vector<WrittenMeasure> measures;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_H_
