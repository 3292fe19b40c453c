// SPDX-License-Identifier: Apache-2.0

// What <attributes> of a MusicXML measure say: time and key signatures.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_ATTRIBUTES_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_ATTRIBUTES_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "pugixml.hpp"

namespace continuo {

struct Meter {
  int numerator = 0;
  int denominator = 1;
};

struct ScoreMeter {
  Meter meter;
  // For a compound signature ("3/8 + 2/4", or 3/4 and 2/4 in turn): its parts,
  // of which `meter` is the sum. Empty for a plain one.
  std::vector<Meter> components = {};
};

bool SameLength(const Meter& a, const Meter& b);

// Reads a <time> with beats (one without is senza misura, which the caller
// handles). Beyond Magenta: a compound signature ("3+2" beats, or several pairs
// of beats and beat type) is the sum of its parts, which `components` keeps.
absl::StatusOr<ScoreMeter> ReadMeter(pugi::xml_node time, ScoreRepair* repair);

// Reads <key>: sharps, or flats if negative. Nothing for a key that is not on
// the circle of fifths (<key-step>), which no NoteSequence can express.
absl::StatusOr<std::optional<int>> ReadKeyFifths(pugi::xml_node key,
                                                 ScoreRepair* repair);

// The key of a part that is written in `fifths` and sounds `semitones` higher,
// by Magenta's formula. It names a wrong key for some rare pairs (E major moved
// by 3 gives D flat), which is kept: keys must be equal.
int TransposedFifths(int fifths, int semitones);

// The pitch class of the major key with `fifths` sharps. The mode of a key is
// not read, as in Magenta: all keys count as major.
int KeyPitchClass(int fifths);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_ATTRIBUTES_H_
