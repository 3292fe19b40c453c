// SPDX-License-Identifier: Apache-2.0

// The one-hot numbering of melody events (data/events/README.md): 0 = no
// event, 1 = note-off, 2 + (pitch - min_note) for notes.

#ifndef CONTINUO_DATA_EVENTS_MELODY_ONE_HOT_MELODY_H_
#define CONTINUO_DATA_EVENTS_MELODY_ONE_HOT_MELODY_H_

#include "data/events/encoding/one_hot.h"
#include "data/events/melody/melody.h"

namespace continuo {

// InvalidArgument: `event` is no melody event with a pitch in
// [min_note, max_note).
absl::Status MelodyEventOutOfRange(Event event, int min_note, int max_note);

class MelodyOneHot : public OneHotEncoding {
 public:
  // Pitches in [min_note, max_note), 0 <= min_note < max_note <= 128.
  MelodyOneHot(int min_note, int max_note);

  int num_classes() const override {
    return max_note_ - min_note_ + kNumSpecialMelodyEvents;
  }
  Event default_event() const override { return kMelodyNoEvent; }
  int EventToIndex(Event event) const override;
  Event IndexToEvent(int index) const override;
  absl::Status OutOfRange(Event event) const override {
    return MelodyEventOutOfRange(event, min_note_, max_note_);
  }

 private:
  int min_note_;
  int max_note_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_MELODY_ONE_HOT_MELODY_H_
