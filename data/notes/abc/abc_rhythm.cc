// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_rhythm.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace continuo {

void AbcRhythm::StartTuplet(const AbcToken& token, const AbcMeter& meter) {
  const int p = token.tuplet_notes;
  const bool compound =
      !meter.is_free() && meter.numerator % 3 == 0 && meter.numerator > 3;
  int q = compound ? 3 : 2;
  if (p == 2 || p == 4 || p == 8) q = 3;
  if (p == 3 || p == 6) q = 2;
  q = token.tuplet_time.value_or(q);
  const int r = token.tuplet_count.value_or(p);
  // A number that no tuplet has is a mistake.
  constexpr int kMaxTuplet = 64;
  if (p < 1 || q < 1 || r < 1 || std::max({p, q, r}) > kMaxTuplet) {
    report_->Warn("a tuplet that cannot be read, its notes taken as written");
    return;
  }
  tuplet_ = MakeRational(q, p);
  tuplet_left_ = r;
}

AbcRational AbcRhythm::Take(AbcRational length, AbcRational* before) {
  if (tuplet_left_ > 0) {
    length = length * tuplet_;
    --tuplet_left_;
  }
  if (broken_ == 0 || before == nullptr) {
    broken_ = 0;
    return length;
  }
  const int dots = std::min(std::abs(broken_), 8);
  const AbcRational small = MakeRational(1, int64_t{1} << dots);
  const AbcRational large = AbcRational{2, 1} - small;
  AbcRational& longer = broken_ > 0 ? *before : length;
  AbcRational& shorter = broken_ > 0 ? length : *before;
  broken_ = 0;
  if (longer == shorter) {
    longer = longer * large;
    shorter = shorter * small;
  } else if (longer * small == shorter) {
    // "A>B/": the short note is already written short.
    longer = longer * large;
  } else {
    // Between other lengths the mark has no meaning.
    report_->Warn("a broken rhythm between unequal notes, left out");
  }
  return length;
}

}  // namespace continuo
