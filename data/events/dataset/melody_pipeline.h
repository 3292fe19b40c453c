// SPDX-License-Identifier: Apache-2.0

// The dataset pipeline of melodies (data/events/README.md): split on time
// changes, quantize, transpose, extract, squash, encode.

#ifndef CONTINUO_DATA_EVENTS_DATASET_MELODY_PIPELINE_H_
#define CONTINUO_DATA_EVENTS_DATASET_MELODY_PIPELINE_H_

#include <memory>
#include <vector>

#include "data/events/dataset/pipeline.h"
#include "data/events/encoder_table.h"
#include "data/events/melody/melody_extract.h"

namespace continuo {

struct MelodyPipelineOptions {
  EncodingSpec encoding = {};
  int steps_per_quarter = 4;
  // What counts as a melody; by default the data set's limits.
  MelodyExtractOptions extract = {};
  // Every piece is used once for each amount, in semitones; copies with a
  // pitch outside 0..127 are dropped.
  std::vector<int> transpositions = {0};
};

std::unique_ptr<DatasetPipeline> MakeMelodyPipeline(
    const MelodyPipelineOptions& options);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_MELODY_PIPELINE_H_
