// SPDX-License-Identifier: Apache-2.0

#include "data/events/melody/one_hot_melody.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"

namespace continuo {

absl::Status MelodyEventOutOfRange(Event event, int min_note, int max_note) {
  return absl::InvalidArgumentError(absl::StrCat(
      "melody event ", event, " is outside the encoding: expected ",
      kMelodyNoEvent, " (no event), ", kMelodyNoteOff,
      " (note-off) or a pitch in ", min_note, "..", max_note - 1,
      "; squash the melody into that range first"));
}

MelodyOneHot::MelodyOneHot(int min_note, int max_note)
    : min_note_(min_note), max_note_(max_note) {
  CONTINUO_CHECK(min_note >= 0 && min_note < max_note && max_note <= 128);
}

int MelodyOneHot::EventToIndex(Event event) const {
  if (event == kMelodyNoEvent) return 0;
  if (event == kMelodyNoteOff) return 1;
  if (event < min_note_ || event >= max_note_) return -1;
  return static_cast<int>(event) - min_note_ + kNumSpecialMelodyEvents;
}

Event MelodyOneHot::IndexToEvent(int index) const {
  if (index < kNumSpecialMelodyEvents) return index - kNumSpecialMelodyEvents;
  return index - kNumSpecialMelodyEvents + min_note_;
}

}  // namespace continuo
