// SPDX-License-Identifier: Apache-2.0

// The schedule of the next steps of a batch: what each will do to its rows, as
// far as the host knows before a label is drawn. Which hypotheses of a beam are
// kept, and which requests find they have enough, is not known yet.

#ifndef CONTINUO_GENERATE_DECODING_STEP_SCHEDULE_H_
#define CONTINUO_GENERATE_DECODING_STEP_SCHEDULE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "generate/decoding/decode_batch.h"
#include "generate/decoding/generator.h"
#include "generate/decoding/scheduled_step.h"

namespace continuo {

// The next steps, at most `max_steps`, fewer where all requests are done.
absl::StatusOr<std::vector<ScheduledStep>> ScheduleSteps(
    const DecodeBatch& batch, const EventEncoder& encoder,
    absl::Span<const EventRequest> requests, const SearchOptions& options,
    int max_steps);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_STEP_SCHEDULE_H_
