// SPDX-License-Identifier: Apache-2.0

// The reading of music files, and what a reader reports about a piece.

#ifndef CONTINUO_DATA_NOTES_READING_H_
#define CONTINUO_DATA_NOTES_READING_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace continuo {

// Where a format's standard and Magenta's reader disagree: as the format means
// it, or as Magenta reads it. Files that Magenta rejects are read by the
// standard either way, MIDI files but for what tracks beyond the first
// contribute.
enum class Reading { kStandard, kMagenta };

// As text: "standard" and "magenta".
bool AbslParseFlag(absl::string_view text, Reading* reading,
                   std::string* error);
std::string AbslUnparseFlag(Reading reading);

struct ReadOptions {
  Reading reading = Reading::kStandard;
};

// What a reader says about one piece.
struct ReadReport {
  // Why Magenta rejects the file or tune, as reason, ": ", details; empty if it
  // does not. (Of ABC under Reading::kMagenta alone.)
  std::string repair;
  // What was dropped, clipped or guessed, and how often: kind, such as
  // "a note number above 127, left out", to the number of such events.
  std::map<std::string, int64_t> warnings;

  void Warn(absl::string_view kind, int64_t count = 1) {
    warnings[std::string(kind)] += count;
  }
  // "3 x a note number above 127, left out; ...", or "" without warnings.
  std::string WarningText() const;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_READING_H_
