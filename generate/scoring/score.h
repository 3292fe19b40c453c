// SPDX-License-Identifier: Apache-2.0

// Given event sequences under a model: log-likelihood and predictions.

#ifndef CONTINUO_GENERATE_SCORING_SCORE_H_
#define CONTINUO_GENERATE_SCORING_SCORE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "data/records/sparse_rows.h"
#include "models/network/event_rnn.h"

namespace continuo {

// What a model says to one example.
struct ExampleScore {
  double log_likelihood = 0;       // sum of ln p of the labels, temperature 1
  std::vector<int32_t> predicted;  // [rows * heads], most probable classes
  // The first row whose logits overflow, after which nothing is meant; -1: none
  // does. Only a model that was not trained well has such.
  int64_t overflow_row = -1;
};

// Scores the examples of `encoder`, `max_rows` of them at a time; a result
// depends on its own example alone.
absl::StatusOr<std::vector<ExampleScore>> ScoreExamples(
    const EventRnn& rnn, const EventEncoder& encoder,
    absl::Span<const EncodedSequence> examples, int max_rows);

// For each sequence the sum of ln p of its events from the second on (the first
// is not predicted), at temperature 1, as ScoreExamples finds it.
// InvalidArgument for an empty sequence, an event that the encoder cannot
// encode or logits that overflow.
absl::StatusOr<std::vector<double>> LogLikelihoods(
    const EventRnn& rnn, const EventEncoder& encoder,
    absl::Span<const std::vector<Event>> sequences, int max_rows);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_SCORING_SCORE_H_
