// Chord symbols (<harmony>) of a MusicXML score.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_CHORD_SYMBOL_H_
#define CONTINUO_DATA_NOTES_MUSICXML_CHORD_SYMBOL_H_

#include <string>

#include "absl/status/statusor.h"
#include "data/notes/musicxml_state.h"
#include "pugixml.hpp"

namespace continuo {

struct ChordSymbol {
  double time = 0;        // seconds
  std::string text = {};  // as in "Cmaj7", "F#dim7/A", "A7(add9)(no3)", "N.C."
};

// Reads `harmony` at the state's time, moved by its <offset>. Of the state
// only the repair changes.
//
// Beyond the original, which rejects such scores: in a transposing part roots
// and basses are moved to where they sound, and a kind or function that has no
// abbreviation is written out as it stands ("CNeapolitan"), so that nobody
// takes it for another chord. `text` is empty for a symbol that says nothing.
//
// InvalidArgument for an alteration beyond a double sharp or flat, or a degree
// that cannot be parsed.
absl::StatusOr<ChordSymbol> ReadChordSymbol(pugi::xml_node harmony,
                                            ScoreState* state);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_CHORD_SYMBOL_H_
