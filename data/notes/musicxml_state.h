// What a MusicXML score's elements read and change as they follow each other.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_STATE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_STATE_H_

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/notes/musicxml_document.h"

namespace continuo {

// Times beyond this many seconds (eleven days) are errors of the score.
inline constexpr double kMaxScoreSeconds = 1e6;

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

// An entry of the part list.
struct ScorePart {
  std::string name;
  int channel = 0;  // as in the file, 1-based; the original keeps it so
  int program = 0;  // likewise
  // MIDI pitches of unpitched instruments, by instrument id.
  absl::flat_hash_map<std::string, int> drum_pitches;
};

// The note that a following <chord/> note joins.
struct ChordAnchor {
  int64_t duration = 0;  // millionths of a division
  double time = 0;       // seconds
};

// One state for the whole score, as in the original: of these, a new part
// resets only `time` and `transpose`. Divisions, tempo, velocity and time
// signature of the end of a part hold at the start of the next one until it
// says otherwise.
struct ScoreState {
  int64_t divisions = kXmlUnit;  // of a quarter note, in millionths
  double qpm = 120;
  double seconds_per_quarter = 0.5;
  double time = 0;  // seconds
  int velocity = 64;
  int transpose = 0;  // semitones
  std::optional<ScoreMeter> meter;
  std::optional<ChordAnchor> previous;
  ScoreRepair repair;
};

// The length of `duration` (millionths of a division) in seconds, with the
// original's order of operations: ticks at 220 per quarter in between.
inline double DurationSeconds(const ScoreState& state, int64_t duration) {
  constexpr double kTicksPerQuarter = 220;
  const double unit = static_cast<double>(kXmlUnit);
  const double divisions = static_cast<double>(state.divisions) / unit;
  const double ticks =
      static_cast<double>(duration) / unit * (kTicksPerQuarter / divisions);
  return ticks / kTicksPerQuarter * state.seconds_per_quarter;
}

// An error for a time beyond kMaxScoreSeconds on either side of 0, or none.
inline absl::Status CheckScoreTime(double seconds) {
  if (std::abs(seconds) <= kMaxScoreSeconds) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a score of impossible length: more than ", kMaxScoreSeconds,
                   " seconds; check <divisions>, <duration> and the tempo"));
}

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_STATE_H_
