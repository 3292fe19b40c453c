// SPDX-License-Identifier: Apache-2.0

// Where D.C. and D.S. lead to.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_JUMPS_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_JUMPS_H_

#include <optional>
#include <vector>

#include "data/notes/abc/abc_score.h"
#include "data/notes/reading.h"

namespace continuo {

// Places are indices of elements, each meaning the place before it.
struct AbcJump {
  int from = 0;   // here the player goes back, the first time
  int to = 0;     // the start or the segno
  int stop = 0;   // fine: here the second time ends; the end if there is none
  int leave = 0;  // here the second time continues at the coda; the end: never
  int coda = 0;
};

// The jump of a tune if it has one and where it ends is clear: one fine on the
// way, or one sign to leave at and one coda. Other jumps are not played, and
// counted in `report`.
std::optional<AbcJump> FindAbcJump(const std::vector<AbcElement>& elements,
                                   ReadReport* report);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_JUMPS_H_
