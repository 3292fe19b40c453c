// SPDX-License-Identifier: Apache-2.0

// Chord symbols (<harmony>) of a MusicXML score.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_CHORD_SYMBOL_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_CHORD_SYMBOL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "pugixml.hpp"

namespace continuo {

struct ChordSymbol {
  int64_t offset = 0;     // millionths of a division, from where it stands
  std::string text = {};  // as in "Cmaj7", "F#dim7/A", "A7(add9)(no3)", "N.C."
};

// Reads `harmony` of a part that sounds `transpose` semitones higher than it is
// written.
//
// Beyond Magenta, which rejects such scores, with the reason in `repair`: in a
// transposing part roots and basses are moved to where they sound, and a kind
// or function that has no abbreviation is written out as it stands
// ("CNeapolitan"), so that it is not taken for another chord. `text` is empty
// for a symbol that says nothing.
//
// InvalidArgument for an alteration beyond a double sharp or flat, or a degree
// that cannot be parsed.
absl::StatusOr<ChordSymbol> ReadChordSymbol(pugi::xml_node harmony,
                                            int transpose, ScoreRepair* repair);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_CHORD_SYMBOL_H_
