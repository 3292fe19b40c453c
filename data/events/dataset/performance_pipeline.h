// SPDX-License-Identifier: Apache-2.0

// The dataset pipeline of performances (data/events/README.md): write
// out the pedal, stretch, split every 30 seconds, quantize, transpose, extract,
// measure the controls, encode.

#ifndef CONTINUO_DATA_EVENTS_DATASET_PERFORMANCE_PIPELINE_H_
#define CONTINUO_DATA_EVENTS_DATASET_PERFORMANCE_PIPELINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/events/dataset/pipeline.h"
#include "data/events/encoder_table.h"

namespace continuo {

struct PerformancePipelineOptions {
  EncodingSpec encoding;
  // Copies of the training set; evaluation takes each piece as it is.
  std::vector<double> stretch_factors = {0.95, 0.975, 1.0, 1.025, 1.05};
  std::vector<int> transpositions = {-3, -2, -1, 0, 1, 2, 3};  // semitones
  double split_seconds = 30;  // of a piece; 0 leaves the sequence whole
  // Pieces with fewer events are dropped, longer ones cut.
  std::optional<int64_t> min_events = 32;
  std::optional<int64_t> max_events = 512;
  // With optional controls, each piece is used once for each of these:
  // whether its controls are switched off.
  std::vector<bool> controls_disabled = {false, true};
};

std::unique_ptr<DatasetPipeline> MakePerformancePipeline(
    const PerformancePipelineOptions& options);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_PERFORMANCE_PIPELINE_H_
