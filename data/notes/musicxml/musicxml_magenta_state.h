// SPDX-License-Identifier: Apache-2.0

// What a MusicXML score's elements read and change as they follow each other,
// as Magenta reads them.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_STATE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_STATE_H_

#include <cstdint>
#include <optional>

#include "data/notes/musicxml/musicxml_attributes.h"
#include "data/notes/musicxml/musicxml_document.h"

namespace continuo {

// The note that a following <chord/> note joins.
struct ChordAnchor {
  int64_t duration = 0;  // millionths of a division
  double time = 0;       // seconds
};

// One state for the whole score, as in Magenta: of these, a new part resets
// only `time` and `transpose`, and sets `channel` and `program`. Divisions,
// tempo, velocity and time signature of the end of a part hold at the start of
// the next one until it says otherwise.
struct MagentaState {
  int64_t divisions = kXmlUnit;  // of a quarter note, in millionths
  double qpm = 120;
  double seconds_per_quarter = 0.5;
  double time = 0;  // seconds
  int velocity = 64;
  int transpose = 0;  // semitones
  int channel = 0;    // as in the file, 1-based; Magenta keeps it so
  int program = 0;    // likewise
  std::optional<Meter> meter;
  std::optional<ChordAnchor> previous;
  ScoreRepair repair;  // what Magenta rejects
};

// The length of `duration` (millionths of a division) in seconds, with
// Magenta's order of operations: ticks at 220 per quarter in between.
inline double DurationSeconds(const MagentaState& state, int64_t duration) {
  constexpr double kTicksPerQuarter = 220;
  const double unit = static_cast<double>(kXmlUnit);
  const double divisions = static_cast<double>(state.divisions) / unit;
  const double ticks =
      static_cast<double>(duration) / unit * (kTicksPerQuarter / divisions);
  return ticks / kTicksPerQuarter * state.seconds_per_quarter;
}

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_STATE_H_
