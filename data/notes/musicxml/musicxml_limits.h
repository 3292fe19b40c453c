// SPDX-License-Identifier: Apache-2.0

// Limits on what a MusicXML score may cost.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_LIMITS_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_LIMITS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace continuo {

// Times beyond this many seconds (eleven days) are errors of the score.
inline constexpr double kMaxScoreSeconds = 1e6;

// At two seconds each, they last six days.
inline constexpr size_t kMaxMeasures = 1 << 18;

// Measures, notes, symbols and tempos of a score with its repeats played; as
// many as a document at kMaxXmlMarkup can hold without repeats.
inline constexpr int64_t kMaxPlayedEvents = 2'000'000;

// An error for a time beyond kMaxScoreSeconds on either side of 0, or none.
inline absl::Status CheckScoreTime(double seconds) {
  if (std::abs(seconds) <= kMaxScoreSeconds) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a score of impossible length: more than ", kMaxScoreSeconds,
                   " seconds; check <divisions>, <duration> and the tempo"));
}

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_LIMITS_H_
