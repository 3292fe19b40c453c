// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/parse_primer.h"

#include <cstdint>
#include <vector>

#include "generate/requests/python_literal.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr char kPitchRule[] = "pitches are whole numbers from 0 to 127";

bool IsPitch(const PythonLiteral& literal) {
  return literal.kind == PythonLiteral::Kind::kInt && literal.integer >= 0 &&
         literal.integer < kNumDrumPitches;
}

}  // namespace

absl::StatusOr<DrumTrack> ParseDrumsPrimer(absl::string_view text) {
  CONTINUO_ASSIGN_OR_RETURN(const PythonLiteral literal,
                            ParsePythonLiteral(text));
  const auto error = [&](absl::string_view message, size_t position) {
    return absl::InvalidArgumentError(PointAt(message, text, position));
  };
  if (!literal.is_sequence() || literal.items.empty()) {
    return error(
        "a list of the drums of each step is needed, as in "
        "[(36, 42), (), (42,)]",
        literal.position);
  }
  std::vector<std::vector<int64_t>> steps;
  for (const PythonLiteral& item : literal.items) {
    if (!item.is_sequence()) {
      return error(
          "the drums of a step are a tuple, as in (36, 42), (42,) or ()",
          item.position);
    }
    steps.emplace_back();
    for (const PythonLiteral& pitch : item.items) {
      if (!IsPitch(pitch)) return error(kPitchRule, pitch.position);
      steps.back().push_back(pitch.integer);
    }
  }
  return DrumTrackFromPitches(steps);
}

absl::StatusOr<NoteSequence> ParseChordPrimer(absl::string_view text) {
  CONTINUO_ASSIGN_OR_RETURN(const PythonLiteral literal,
                            ParsePythonLiteral(text));
  const auto error = [&](absl::string_view message, size_t position) {
    return absl::InvalidArgumentError(PointAt(message, text, position));
  };
  if (!literal.is_sequence() || literal.items.empty()) {
    return error("a list of pitches is needed, as in [60, 64, 67]",
                 literal.position);
  }
  constexpr double kSeconds = 0.5;  // a quarter note at 120 qpm
  constexpr int kVelocity = 100;
  constexpr int kTicksPerQuarter = 220;
  NoteSequence chord;
  chord.set_ticks_per_quarter(kTicksPerQuarter);
  for (const PythonLiteral& pitch : literal.items) {
    if (!IsPitch(pitch)) return error(kPitchRule, pitch.position);
    NoteSequence::Note* note = chord.add_notes();
    note->set_end_time(kSeconds);
    note->set_pitch(static_cast<int>(pitch.integer));
    note->set_velocity(kVelocity);
  }
  chord.set_total_time(kSeconds);
  return chord;
}

}  // namespace continuo
