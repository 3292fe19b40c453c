// SPDX-License-Identifier: Apache-2.0

// Marks that send the player elsewhere: D.C., D.S., segno, coda, fine.

#ifndef CONTINUO_DATA_NOTES_ABC_ABC_MARKS_H_
#define CONTINUO_DATA_NOTES_ABC_ABC_MARKS_H_

#include "absl/strings/string_view.h"

namespace continuo {

enum class AbcMark {
  kNone,
  kSegno,
  kCoda,    // where to leave for the coda, or the coda itself
  kToCoda,  // where to leave for the coda
  kFine,
  kDaCapo,
  kDaCapoAlFine,
  kDaCapoAlCoda,
  kDalSegno,
  kDalSegnoAlFine,
  kDalSegnoAlCoda,
};

// "D.C.", "dc", "D.S. al Coda", "dacapo", "fine", in any case and with any
// dots and spaces. kNone for other text.
AbcMark ParseAbcMark(absl::string_view text);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_ABC_ABC_MARKS_H_
