// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_ties.h"

#include <algorithm>
#include <cstdlib>

namespace continuo {

void TieJoiner::Add(const PlayedNote& note, std::vector<PlayedNote>* notes) {
  const WrittenNote& written = *note.written;
  const int64_t key = int64_t{note.part} * 128 + written.pitch;
  if (!written.tie_start && !written.tie_stop && !open_.contains(key)) {
    notes->push_back(note);
    return;
  }
  std::vector<Open>& open = open_[key];
  const std::optional<size_t> tied = Find(note, *notes, &open);
  if (written.tie_stop && !tied.has_value()) ++unjoined_;
  if (!written.tie_stop && tied.has_value()) ++guessed_;
  std::optional<size_t> joined = tied;
  if (joined.has_value()) {
    PlayedNote& first = (*notes)[*joined];
    first.end = std::max(first.end, note.end);
  } else {
    joined = notes->size();
    notes->push_back(note);
  }
  if (!written.tie_start) return;
  // More at once is not music.
  constexpr size_t kMaxOpen = 16;
  if (open.size() == kMaxOpen) open.erase(open.begin());
  open.push_back({*joined, measure_, written.voice});
}

// The open note that ends where `note` starts, if possible in its voice; else
// one of its voice with a gap in between, as in parts whose measures are too
// short. A note that is not marked as the end of a tie is one only in the first
// case, and not where a repeat goes back to, except in a second ending, where
// many programs write no end. The note found is removed from `open`, and so are
// those that ended too long ago.
std::optional<size_t> TieJoiner::Find(const PlayedNote& note,
                                      const std::vector<PlayedNote>& notes,
                                      std::vector<Open>* open) const {
  open->erase(std::remove_if(
                  open->begin(), open->end(),
                  [&](const Open& tie) { return tie.measure < measure_ - 1; }),
              open->end());
  int best_rank = 0;
  auto best = open->end();
  for (auto tie = open->begin(); tie != open->end(); ++tie) {
    const Ticks gap = note.start - notes[tie->note].end;
    const bool is_voice = tie->voice == note.written->voice;
    int rank = 0;
    if (std::abs(gap) <= tolerance_) {
      rank = is_voice ? 3 : 2;
    } else if (gap > 0 && is_voice) {
      rank = 1;
    }
    if (!note.written->tie_stop && (rank < 3 || tie->measure < last_return_)) {
      continue;
    }
    if (rank > best_rank) {
      best_rank = rank;
      best = tie;
    }
  }
  if (best == open->end()) return std::nullopt;
  const size_t found = best->note;
  open->erase(best);
  return found;
}

}  // namespace continuo
