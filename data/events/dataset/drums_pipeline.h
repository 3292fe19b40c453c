// SPDX-License-Identifier: Apache-2.0

// The dataset pipeline of drum tracks (data/events/README.md): split on time
// changes, quantize, extract, encode.

#ifndef CONTINUO_DATA_EVENTS_DATASET_DRUMS_PIPELINE_H_
#define CONTINUO_DATA_EVENTS_DATASET_DRUMS_PIPELINE_H_

#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/events/dataset/pipeline.h"
#include "data/events/drums/drums_extract.h"
#include "data/events/encoder_table.h"

namespace continuo {

struct DrumsPipelineOptions {
  EncodingSpec encoding;
  int steps_per_quarter = 4;
  // Instruments whose notes count as drums whatever the file says: all of
  // them, or those with these numbers.
  bool all_are_drums = false;
  std::set<int> drum_instruments = {};
  // What counts as a drum track; by default the data set's limits.
  DrumsExtractOptions extract = {};
};

// Sets what counts as drums from "all", from instrument numbers as in "0,2", or
// from "" for MIDI's drum channel alone. InvalidArgument for anything else.
absl::Status ParseTreatAsDrums(absl::string_view text,
                               DrumsPipelineOptions* options);

std::unique_ptr<DatasetPipeline> MakeDrumsPipeline(
    const DrumsPipelineOptions& options);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_DRUMS_PIPELINE_H_
