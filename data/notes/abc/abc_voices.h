// SPDX-License-Identifier: Apache-2.0

// The voices of an ABC tune, and what stands in one of them for all.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_VOICES_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_VOICES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/notes/abc/abc_score.h"

namespace continuo {

// Follows which voice the lines of a tune belong to. Voices are counted from 0
// in the order in which their names appear; before any has, the lines are the
// first voice's.
class AbcVoices {
 public:
  // What follows belongs to the voice of this name, perhaps a new one. Voices
  // beyond a limit are ignored.
  void Select(absl::string_view name);
  void SelectFirst() { current_ = 0; }
  // Music follows; without a name it belongs to a voice "1".
  void BeginMusic() {
    if (voices_.empty()) Select("1");
  }

  size_t current() const { return current_; }
  // A note or a bar line of the current voice.
  void CountNote();
  void CountBar();
  // The bar lines of the current voice so far.
  int bar() const { return known() ? voices_[current_].bars : 0; }
  // The first voice from `voice` on that has notes, or the number of voices.
  size_t NextWithNotes(size_t voice) const;
  size_t size() const { return voices_.size(); }

 private:
  struct Voice {
    std::string name;
    bool has_notes = false;
    int bars = 0;
  };
  bool known() const { return current_ < voices_.size(); }

  std::vector<Voice> voices_;
  size_t current_ = 0;
};

// A tempo that another voice gives in its bar of this number.
struct AbcTuneTempo {
  int bar = 0;
  double qpm = 0;
};

// Moves them to the same bars of this voice. A tempo of the voice itself holds
// from its place, one of another voice from its bar, until the next of any.
void ApplyAbcTuneTempos(std::vector<AbcTuneTempo> tempos, AbcScore* score);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_VOICES_H_
