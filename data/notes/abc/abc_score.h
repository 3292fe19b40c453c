// SPDX-License-Identifier: Apache-2.0

// One voice of an ABC tune as notated: every symbol once, with pitches
// and lengths worked out and repeats still as marks.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_SCORE_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_SCORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/notes/abc/abc_fields.h"
#include "data/notes/abc/abc_marks.h"
#include "data/notes/abc/abc_rational.h"
#include "data/notes/abc/abc_text.h"
#include "data/notes/reading.h"

namespace continuo {

// What holds where an element stands.
struct AbcContext {
  AbcKey key;
  AbcMeter meter;
  double qpm = 0;  // 0: not given
};

struct AbcElement {
  enum class Kind { kNote, kRest, kBar, kText, kPart, kMark };
  Kind kind = Kind::kRest;
  int context = 0;     // index into AbcScore::contexts
  AbcRational length;  // notes and rests, in whole notes

  int pitch = 0;
  int velocity = 0;
  bool tie = false;  // to the next note, if that has the same pitch

  // Bars, as in AbcToken.
  bool clears = false;
  bool heavy = false;
  int repeat_end = 0;
  int repeat_start = 0;
  std::vector<int> endings;

  std::string text;               // kText; the label of kPart, a letter
  AbcMark mark = AbcMark::kNone;  // kMark
  bool to_next = false;           // kMark: it belongs to what follows
};

struct AbcScore {
  std::vector<AbcElement> elements;
  std::vector<AbcContext> contexts;
  std::string part_order;  // the header's "P:"
  std::string title;
  std::vector<std::string> composers;
};

// Reads the first voice that has notes. InvalidArgument if the tune has no key
// field, no notes or a length that cannot be read; the message names the line.
// What else is dropped or guessed is counted in `report`.
absl::StatusOr<AbcScore> ReadAbcScore(const std::vector<AbcLine>& header,
                                      const std::vector<AbcLine>& tune,
                                      ReadReport* report);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_SCORE_H_
