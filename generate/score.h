// Log-likelihood of given event sequences under a model.

#ifndef CONTINUO_GENERATE_SCORE_H_
#define CONTINUO_GENERATE_SCORE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/event_encoder.h"
#include "models/event_rnn.h"

namespace continuo {

// For each sequence the sum of ln p of its events from the second on (the first
// is not predicted), at temperature 1. Sequences are scored `max_rows` at a
// time; a value depends on its own sequence alone. InvalidArgument for an empty
// sequence or an event that the encoder cannot encode.
absl::StatusOr<std::vector<double>> LogLikelihoods(
    const EventRnn& rnn, const EventEncoder& encoder,
    absl::Span<const std::vector<Event>> sequences, int max_rows);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_SCORE_H_
