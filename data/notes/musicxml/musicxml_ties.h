// SPDX-License-Identifier: Apache-2.0

// Tied notes of a score that is played.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TIES_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TIES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data/notes/musicxml/musicxml_score.h"

namespace continuo {

// A note as it is played, from the start of the score.
struct PlayedNote {
  int part = 0;
  Ticks start = 0;
  Ticks end = 0;
  const WrittenNote* written = nullptr;
};

// Joins notes to those that are tied to them.
class TieJoiner {
 public:
  explicit TieJoiner(Ticks ticks_per_quarter)
      : tolerance_(ticks_per_quarter / 32) {}

  // The next measure to play; `goes_back` if it is not written after the last.
  void BeginMeasure(bool goes_back) {
    ++measure_;
    if (goes_back) last_return_ = measure_;
  }

  // Adds `note` to `notes`, or lengthens the one that it is tied to. Notes of a
  // part come by their starts. Many programs forget where ties end: a note
  // right after one from which a tie starts, of the same pitch and voice, is
  // its end.
  void Add(const PlayedNote& note, std::vector<PlayedNote>* notes);

  // Ties that come from no note.
  int64_t unjoined() const { return unjoined_; }
  // Ties whose end is not marked.
  int64_t guessed() const { return guessed_; }

 private:
  struct Open {
    size_t note = 0;  // among the notes
    int measure = 0;  // of its last part
    int voice = 0;
  };
  std::optional<size_t> Find(const PlayedNote& note,
                             const std::vector<PlayedNote>& notes,
                             std::vector<Open>* open) const;

  Ticks tolerance_;
  int measure_ = 0;
  int last_return_ = 0;  // the last measure that a repeat went back to
  int64_t unjoined_ = 0;
  int64_t guessed_ = 0;
  absl::flat_hash_map<int64_t, std::vector<Open>> open_;  // by part and pitch
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_TIES_H_
