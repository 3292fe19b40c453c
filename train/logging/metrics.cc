// SPDX-License-Identifier: Apache-2.0

#include "train/logging/metrics.h"

#include <cmath>
#include <limits>
#include <vector>

namespace continuo {
namespace {

double Ratio(double numerator, int64_t denominator, EmptyAccuracy empty) {
  if (denominator == 0) {
    return empty == EmptyAccuracy::kZero
               ? 0
               : std::numeric_limits<double>::quiet_NaN();
  }
  return numerator / static_cast<double>(denominator);
}

}  // namespace

Metrics ComputeMetrics(const LossSums& sums, int64_t time_steps,
                       EmptyAccuracy empty) {
  Metrics metrics;
  metrics.loss = Ratio(sums.cross_entropy, sums.labels, empty);
  metrics.perplexity = std::exp(metrics.loss);
  metrics.accuracy =
      Ratio(static_cast<double>(sums.correct), sums.labels, empty);
  metrics.event_accuracy =
      Ratio(static_cast<double>(sums.event_correct), sums.event_labels, empty);
  metrics.no_event_accuracy = Ratio(static_cast<double>(sums.no_event_correct),
                                    sums.no_event_labels, empty);
  metrics.loss_per_step = Ratio(sums.cross_entropy, time_steps, empty);
  metrics.perplexity_per_step = std::exp(metrics.loss_per_step);
  double recall = 0;
  for (size_t c = 0; c < sums.class_labels.size(); ++c) {
    recall += Ratio(static_cast<double>(sums.class_correct[c]),
                    sums.class_labels[c], EmptyAccuracy::kZero);
  }
  metrics.per_class_accuracy =
      Ratio(recall, static_cast<int64_t>(sums.class_labels.size()),
            EmptyAccuracy::kZero);
  return metrics;
}

int64_t BatchTimeSteps(const PackedBatch& batch, const EventEncoder& encoder) {
  int64_t time_steps = 0;
  std::vector<int64_t> labels;
  for (int row = 0; row < batch.num_rows(); ++row) {
    labels.clear();
    for (int t = 0; t < batch.lengths[row]; ++t) {
      const int64_t event = batch.step_begin[t] + row;
      const auto label = batch.labels.begin() + event * batch.heads;
      labels.insert(labels.end(), label, label + batch.heads);
    }
    time_steps += encoder.LabelsToNumSteps(labels);
  }
  return time_steps;
}

double BitsPerEvent(double nats, int heads) {
  return nats * heads / std::log(2.0);
}

}  // namespace continuo
