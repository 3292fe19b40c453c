// SPDX-License-Identifier: Apache-2.0

// Tempo marks of MusicXML: <sound tempo> and <metronome>.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TEMPO_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TEMPO_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "data/notes/reading.h"
#include "pugixml.hpp"

namespace continuo {

// What a <metronome> says: quarters per minute or, for "quarter = dotted
// quarter", by what the tempo before it is multiplied.
struct MetronomeMark {
  bool is_factor = false;
  double value = 0;
};

// Nothing, with a warning, for a mark that says neither.
std::optional<MetronomeMark> ReadMetronome(pugi::xml_node metronome,
                                           ReadReport* report);

// Quarters per minute of a <sound tempo>; nothing, with a warning, if it makes
// no sense.
std::optional<double> ReadSoundTempo(absl::string_view text,
                                     ReadReport* report);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TEMPO_H_
