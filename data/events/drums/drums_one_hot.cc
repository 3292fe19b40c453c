// SPDX-License-Identifier: Apache-2.0

#include "data/events/drums/drums_one_hot.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"

namespace continuo {

DrumsOneHot::DrumsOneHot(int num_drum_classes)
    : num_drum_classes_(num_drum_classes) {
  CONTINUO_CHECK(num_drum_classes >= 1 && num_drum_classes <= 16);
}

absl::Status DrumsOneHot::OutOfRange(Event event) const {
  return absl::InvalidArgumentError(absl::StrCat(
      "drum event ", event, " is outside the encoding: expected a mask of ",
      num_drum_classes_, " drum classes, 0..", num_classes() - 1));
}

}  // namespace continuo
