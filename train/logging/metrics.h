// SPDX-License-Identifier: Apache-2.0

// The metrics of Magenta from the sums that the network returns.

#ifndef CONTINUO_TRAIN_LOGGING_METRICS_H_
#define CONTINUO_TRAIN_LOGGING_METRICS_H_

#include <cstdint>

#include "data/events/encoding/event_encoder.h"
#include "data/records/batch.h"
#include "models/network/event_rnn.h"

namespace continuo {

struct Metrics {
  double loss = 0;            // mean cross-entropy of a label, in nats
  double perplexity = 0;      // exp(loss)
  double accuracy = 0;        // share of labels predicted
  double event_accuracy = 0;  // the same over labels that are not the default
  double no_event_accuracy = 0;
  double loss_per_step = 0;  // summed cross-entropy per time step of music
  double perplexity_per_step = 0;
  double per_class_accuracy = 0;  // mean of the recall of all classes, where a
                                  // class without labels counts as 0
};

// Magenta's value of an accuracy over no labels.
enum class EmptyAccuracy { kNan, kZero };  // in training; in evaluation

// `time_steps` is the number of time steps that the labels of `sums` cover.
Metrics ComputeMetrics(const LossSums& sums, int64_t time_steps,
                       EmptyAccuracy empty);

// The time steps of all sequences of a batch.
int64_t BatchTimeSteps(const PackedBatch& batch, const EventEncoder& encoder);

// Nats per label as bits per event, which has `heads` labels.
double BitsPerEvent(double nats, int heads);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOGGING_METRICS_H_
