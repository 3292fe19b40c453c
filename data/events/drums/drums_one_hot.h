// SPDX-License-Identifier: Apache-2.0

// The one-hot numbering of drum events: an event is the bit mask of the classes
// struck, and its index is that number (data/events/README.md).

#ifndef CONTINUO_DATA_EVENTS_DRUMS_DRUMS_ONE_HOT_H_
#define CONTINUO_DATA_EVENTS_DRUMS_DRUMS_ONE_HOT_H_

#include "data/events/encoding/one_hot.h"

namespace continuo {

class DrumsOneHot : public OneHotEncoding {
 public:
  // 1 <= num_drum_classes <= 16; 2^num_drum_classes indices.
  explicit DrumsOneHot(int num_drum_classes);

  int num_classes() const override { return 1 << num_drum_classes_; }
  Event default_event() const override { return 0; }
  int EventToIndex(Event event) const override {
    return event < 0 || event >= num_classes() ? -1 : static_cast<int>(event);
  }
  Event IndexToEvent(int index) const override { return index; }
  absl::Status OutOfRange(Event event) const override;

 private:
  int num_drum_classes_;
};

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DRUMS_DRUMS_ONE_HOT_H_
