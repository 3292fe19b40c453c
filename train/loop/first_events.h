// SPDX-License-Identifier: Apache-2.0

// The first events of the examples of a data set.

#ifndef CONTINUO_TRAIN_LOOP_FIRST_EVENTS_H_
#define CONTINUO_TRAIN_LOOP_FIRST_EVENTS_H_

#include "absl/status/statusor.h"
#include "data/events/encoding/event_encoder.h"
#include "data/records/dataset.h"
#include "models/config/config.h"

namespace continuo {

// How often each event begins an example, among all examples or, of a large
// set, among some thousands evenly spread over it. Examples hold inputs, not
// events: an event is known by the inputs it gives as the first of a sequence,
// and examples whose first row is of no event are not counted. Only for
// encoders with one head.
absl::StatusOr<FirstEvents> CountFirstEvents(const Dataset& dataset,
                                             const EventEncoder& encoder);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_FIRST_EVENTS_H_
