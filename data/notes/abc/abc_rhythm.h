// SPDX-License-Identifier: Apache-2.0

// How long notes last beyond their own numbers: tuplets and broken rhythm.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_RHYTHM_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_RHYTHM_H_

#include "data/notes/abc/abc_fields.h"
#include "data/notes/abc/abc_lexer.h"
#include "data/notes/abc/abc_rational.h"
#include "data/notes/reading.h"

namespace continuo {

class AbcRhythm {
 public:
  // `report` outlives it.
  explicit AbcRhythm(ReadReport* report) : report_(report) {}

  // The next notes form a tuplet, in the time that the token or else the meter
  // gives it: (5, (7 and (9 go into 3 in compound meters, else into 2.
  void StartTuplet(const AbcToken& token, const AbcMeter& meter);

  // The next note or rest is joined to the one before by `marks` marks: ">" if
  // above 0, "<" if below.
  void Break(int marks) { broken_ = marks; }

  // The length of the next note or rest, written as `length`; `before` is that
  // of the one before, which broken rhythm changes (null: there is none).
  AbcRational Take(AbcRational length, AbcRational* before);

 private:
  ReadReport* report_;
  AbcRational tuplet_ = {1, 1};
  int tuplet_left_ = 0;
  int broken_ = 0;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_RHYTHM_H_
