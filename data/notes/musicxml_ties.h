// Tied notes of a score that is played.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_TIES_H_
#define CONTINUO_DATA_NOTES_MUSICXML_TIES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data/notes/musicxml_score.h"

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

  // Adds `note` of the `measure`-th played measure to `notes`, or lengthens the
  // one that it is tied to. Notes of a part come by their starts.
  void Add(const PlayedNote& note, int measure, std::vector<PlayedNote>* notes);

  // Ties that lead to no note, or come from none.
  int64_t unjoined() const { return unjoined_; }

 private:
  struct Open {
    size_t note = 0;  // among the notes
    int measure = 0;  // of its last part
    int voice = 0;
  };
  std::optional<size_t> Find(const PlayedNote& note, int measure,
                             const std::vector<PlayedNote>& notes,
                             std::vector<Open>* open) const;

  Ticks tolerance_;
  int64_t unjoined_ = 0;
  absl::flat_hash_map<int64_t, std::vector<Open>> open_;  // by part and pitch
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_TIES_H_
