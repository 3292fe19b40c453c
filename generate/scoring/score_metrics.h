// SPDX-License-Identifier: Apache-2.0

// Metrics of scored sequences: likelihood, and accuracy by class.

#ifndef CONTINUO_GENERATE_SCORING_SCORE_METRICS_H_
#define CONTINUO_GENERATE_SCORING_SCORE_METRICS_H_

#include <cstdint>
#include <map>

#include "data/events/encoding/event_encoder.h"
#include "data/records/sparse_rows.h"
#include "generate/scoring/score.h"
#include "runtime/base/json.h"

namespace continuo {

// Predictions made and predictions that were right.
struct HitCount {
  int64_t labels = 0;
  int64_t correct = 0;  // the most probable class was the label
};

struct ScoreMetrics {
  int64_t sequences = 0;
  int64_t predicted_events = 0;  // all events but the first of each sequence
  double log_likelihood = 0;     // nats
  HitCount all;
  HitCount event;     // labels other than the default one
  HitCount no_event;  // labels that are the default one
  // By class, the heads' classes one after another; those that occur.
  std::map<int64_t, HitCount> classes;

  void Add(const EventEncoder& encoder, const EncodedSequence& example,
           const ExampleScore& score);
  void Add(const ScoreMetrics& other);
};

// The fields of `metrics`: "predicted_events", "log_likelihood" (nats),
// "bits_per_event", "perplexity" (per event), "accuracy", "event_accuracy",
// "no_event_accuracy" (null where no label is such) and "per_class_accuracy",
// the mean over the classes that occur. With `classes` also "classes": for each
// one "class", "labels" and "correct".
OrderedJson MetricsJson(const ScoreMetrics& metrics, bool classes);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_SCORING_SCORE_METRICS_H_
