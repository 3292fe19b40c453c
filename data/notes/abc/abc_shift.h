// SPDX-License-Identifier: Apache-2.0

// Octaves and transpositions: how the clef, the key and voice fields and
// "%%MIDI" move the written notes.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_SHIFT_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_SHIFT_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace continuo {

// What fields have said so far; absent where they do not say.
struct AbcShift {
  std::optional<int> octaves;       // "octave="
  std::optional<int> clef_octaves;  // "clef=treble-8"; 0 for a clef alone
  std::optional<int> semitones;     // "transpose="

  // Takes over what a later field says.
  void Update(const AbcShift& later);
};

// Semitones by which the notes of a voice sound higher than written. The
// voice's octaves take precedence over the tune's, and an explicit octave over
// the clef's; the tune's and the voice's transpositions add up.
int AbcSoundShift(const AbcShift& tune, const AbcShift& voice);

// What the words of a "K:" or "V:" field say, those of a key or a voice's name
// among them: "clef=treble-8", "bass+8", "octave=-1", "transpose=-5",
// "sound=cB", "shift=CD", "instrument=_B". A clef alone moves nothing, nor do
// "middle=" and "score=", which are of the printed page. Numbers are
// clipped to what MIDI's range can need.
AbcShift ParseAbcShift(absl::string_view text);

// What follows "%%MIDI": "transpose -2" sets what the tune is transposed by,
// "rtranspose -2" adds to it. Others change nothing.
void ApplyAbcMidiDirective(absl::string_view text, AbcShift* tune);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_SHIFT_H_
