// SPDX-License-Identifier: Apache-2.0

// Note names and note values of MusicXML.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_NOTATION_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_NOTATION_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "pugixml.hpp"

namespace continuo {

// The semitones of a note step ("C" is 0); -1 if `step` is none.
int StepSemitones(absl::string_view step);

// The length of a note type, such as "quarter", in 1024ths of a whole note.
std::optional<int> NoteTypeLength(absl::string_view type);

// A note value: a type, dots, and the tuplet it belongs to.
struct NoteValue {
  int type_length = 256;  // in 1024ths; a quarter where there is no <type>
  int dots = 0;
  int tuplet_actual = 1;  // not 0
  int tuplet_normal = 1;  // not 0
};

// Reads <type>, <dot> or <time-modification> into `value`; other elements are
// ignored. InvalidArgument if it makes no sense.
absl::Status ReadNoteValue(pugi::xml_node child, ScoreRepair* repair,
                           NoteValue* value);

struct Fraction {
  int numerator = 0;
  int denominator = 1;  // above 0
};

// Of a whole note, in lowest terms; nothing if it is beyond an int.
std::optional<Fraction> NotatedLength(const NoteValue& value);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_NOTATION_H_
